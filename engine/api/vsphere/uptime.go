package vsphere

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Rebooting is the request that VMware Tools reboot the guest of a machine. It is answered before they have begun.
func Rebooting(vm VM) Request {
	return Request{text: fmt.Sprintf("RebootGuest %s (%s)", vm.Ref, vm.Name), needs: need{"VirtualMachine.Interact.Reset", reference(vm.Ref)},
		send: func(ctx context.Context, c *vim25.Client) (answer, error) {
			_, err := methods.RebootGuest(ctx, c, &types.RebootGuest{This: reference(vm.Ref)})
			return answer{}, err
		}}
}

// Booted tells when the operating system in a machine was booted, in this computer's time and to a second or so; known is
// false where VMware Tools do not tell it. It is the counter sys.osUptime ("total time elapsed, in seconds, since last
// operating system boot-up"), of which ESXi has a sample every 20 s; runtime.bootTime is no help, a reboot does not change it.
// What Tools tell may be up to a minute old, so a boot of just now may be seen late, and one may look that much younger.
func Booted(ctx context.Context, api engine.API, ref string) (at time.Time, known bool, err error) {
	err = Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		counter, err := uptimeCounter(ctx, api, c)
		if err != nil || counter == 0 {
			return err
		}
		answer, err := methods.QueryPerf(ctx, c, &types.QueryPerf{This: *c.ServiceContent.PerfManager, QuerySpec: []types.PerfQuerySpec{{
			Entity: reference(ref), MaxSample: 1, IntervalId: 20, MetricId: []types.PerfMetricId{{CounterId: counter}}}}})
		if err != nil {
			return err
		}
		uptime, seen, ok := lastSample(answer.Returnval)
		if !ok {
			return nil
		}
		now, err := methods.GetCurrentTime(ctx, c) // the sample has the time of a clock over there
		if err == nil {
			at, known = time.Now().Add(-uptime-now.Sub(seen)), true
		}
		return err
	})
	return at, known, err
}

// uptimeCounter is the key of sys.osUptime, which differs between vCenters and is asked for once; 0: there is none.
func uptimeCounter(ctx context.Context, api engine.API, c *vim25.Client) (int32, error) {
	x, err := api.Session(ctx, "vsphere uptime counter", func(ctx context.Context) (any, func(context.Context) error, error) {
		if c.ServiceContent.PerfManager == nil {
			return int32(0), nil, nil
		}
		var m mo.PerformanceManager
		if err := property.DefaultCollector(c).RetrieveOne(ctx, *c.ServiceContent.PerfManager, []string{"perfCounter"}, &m); err != nil {
			return nil, nil, err
		}
		for _, p := range m.PerfCounter {
			if p.GroupInfo.GetElementDescription().Key == "sys" && p.NameInfo.GetElementDescription().Key == "osUptime" {
				return p.Key, nil, nil
			}
		}
		return int32(0), nil, nil
	})
	if err != nil {
		return 0, err
	}
	key, ok := x.(int32)
	if !ok {
		return 0, errors.New("the counters of the vCenter are not what they were")
	}
	return key, nil
}

func lastSample(list []types.BasePerfEntityMetricBase) (uptime time.Duration, seen time.Time, ok bool) {
	for _, x := range list {
		m, isMetric := x.(*types.PerfEntityMetric)
		if !isMetric || len(m.SampleInfo) == 0 || len(m.Value) == 0 {
			continue
		}
		series, isSeries := m.Value[0].(*types.PerfMetricIntSeries)
		n := len(m.SampleInfo) - 1
		if isSeries && len(series.Value) > n && series.Value[n] > 0 { // 0 and -1: Tools did not tell
			return time.Duration(series.Value[n]) * time.Second, m.SampleInfo[n].Timestamp, true
		}
	}
	return 0, time.Time{}, false
}
