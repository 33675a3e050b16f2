package vcenter

import (
	"errors"
	"slices"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// performance is the simulator's PerformanceManager, but for the one counter that is asked of one machine at a time:
// sys.osUptime, which VMware Tools tell. The simulator makes up its values.
type performance struct {
	simulator.PerformanceManager
	v      *VCenter
	uptime int32 // key of the counter
}

func (v *VCenter) addPerformance() error {
	registry := v.model.Map()
	m, ok := registry.Get(*v.model.ServiceContent.PerfManager).(*simulator.PerformanceManager)
	if !ok {
		return errors.New("the simulator has no performance manager")
	}
	i := slices.IndexFunc(m.PerfCounter, func(c types.PerfCounterInfo) bool {
		return c.GroupInfo.GetElementDescription().Key == "sys" && c.NameInfo.GetElementDescription().Key == "osUptime"
	})
	if i < 0 {
		return errors.New("the simulator does not know the uptime of a guest")
	}
	registry.Put(&performance{PerformanceManager: *m, v: v, uptime: m.PerfCounter[i].Key})
	return nil
}

// QueryPerf gives one sample of now, or none while Tools do not run.
func (p *performance) QueryPerf(ctx *simulator.Context, req *types.QueryPerf) soap.HasFault {
	if len(req.QuerySpec) != 1 || len(req.QuerySpec[0].MetricId) != 1 || req.QuerySpec[0].MetricId[0].CounterId != p.uptime {
		return p.PerformanceManager.QueryPerf(ctx, req)
	}
	spec := req.QuerySpec[0]
	answer := &types.PerfEntityMetric{PerfEntityMetricBase: types.PerfEntityMetricBase{Entity: spec.Entity}}
	now := time.Now()
	if booted, ok := p.booted(ctx, spec.Entity); ok {
		answer.SampleInfo = []types.PerfSampleInfo{{Timestamp: now, Interval: 20}}
		answer.Value = []types.BasePerfMetricSeries{&types.PerfMetricIntSeries{PerfMetricSeries: types.PerfMetricSeries{Id: spec.MetricId[0]},
			Value: []int64{int64(now.Sub(booted) / time.Second)}}}
	}
	return &methods.QueryPerfBody{Res: &types.QueryPerfResponse{Returnval: []types.BasePerfEntityMetricBase{answer}}}
}

func (p *performance) booted(ctx *simulator.Context, ref types.ManagedObjectReference) (time.Time, bool) {
	vm, ok := p.v.model.Map().Get(ref).(*simulator.VirtualMachine)
	if !ok || p.v.cfg.Booted == nil {
		return time.Time{}, false
	}
	run := false
	ctx.Map.WithLock(ctx, vm, func() { run = vm.Guest.ToolsRunningStatus == "guestToolsRunning" })
	if !run {
		return time.Time{}, false
	}
	return p.v.cfg.Booted(p.v.names[ref])
}
