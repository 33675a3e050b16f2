package windows

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Codes of the Windows Installer.
const (
	msiSuccess         = 0
	msiUnknownProduct  = 1605
	msiCancelled       = 1602
	msiFatal           = 1603
	msiRunning         = 1618
	msiNoPackage       = 1619
	msiOtherVersion    = 1638
	msiInvalidCommand  = 1639
	msiRebootInitiated = 1641
	msiRebootRequired  = 3010
)

// The phases of a change of VMware Tools, in lab time. The network is away in the second one.
const (
	preparing   = 20 * time.Second
	replacing   = 20 * time.Second
	finishing   = 20 * time.Second
	networkAway = 15 * time.Second
	nothingToDo = 5 * time.Second
)

// request is what a command line asks the installer for.
type request struct {
	add, remove, reinstall []string // feature names; ALL
	uninstall              bool
	setup                  bool // by setup64.exe, from the image
	restart                bool // it may reboot the guest
	log                    string
}

// configure runs the installer on VMware Tools and returns its exit code. When ctx ends while drivers are being
// replaced, Tools stay behind broken; before that nothing has happened.
func (g *Guest) configure(ctx context.Context, r request) uint32 {
	if code := g.enter(r.setup); code != msiSuccess {
		return code
	}
	defer g.change(func() { g.tools.installing, g.tools.replaced = false, false })
	code := g.transaction(ctx, r)
	g.writeLog(r, code)
	if code == msiRebootInitiated {
		inner, _ := g.detach(ctx) // it ends with the reboot
		go func() {
			if g.cfg.Clock.Wait(inner, goodbye) == nil {
				_ = g.Reboot(context.WithoutCancel(inner)) // cannot end early
			}
		}()
	}
	return code
}

// enter lets one installation in at a time, or gives the code with which it is refused.
func (g *Guest) enter(setup bool) (code uint32) {
	g.change(func() {
		g.tools.starts++
		if code = g.refusal(setup); code != 0 {
			return
		}
		if g.occupied() {
			code = msiRunning
			return
		}
		g.tools.installing = true
		g.tools.runs++
	})
	return code
}

func (g *Guest) transaction(ctx context.Context, r request) uint32 {
	g.mu.Lock()
	after, repair, err := g.target(r)
	same := !repair && g.tools.installed && slices.Equal(after, g.installed())
	g.mu.Unlock()
	if err != nil || same {
		if g.cfg.Clock.Wait(ctx, nothingToDo) != nil || err != nil {
			return msiFatal
		}
		return msiSuccess
	}
	if g.cfg.Clock.Wait(ctx, preparing) != nil {
		return msiFatal
	}
	g.loseNetwork(g.outage())
	g.change(func() { g.tools.replaced, g.tools.cut = true, g.tools.cut || g.tools.quirks.cuts })
	if g.cfg.Clock.Wait(ctx, replacing) != nil {
		g.change(func() { g.tools.broken = "an installation was interrupted" })
		return msiFatal
	}
	var reboot, fails bool
	g.change(func() {
		if fails = g.tools.quirks.fails; !fails {
			reboot = g.apply(r, after, repair)
		}
		g.tools.replaced = false
	})
	if fails { // and everything is as it was
		return msiFatal
	}
	if r.uninstall || !slices.Contains(after, "VMXNet3") {
		g.change(func() { g.tools.networkLost = true })
		g.loseNetwork(-1)
	}
	if g.cfg.Clock.Wait(ctx, finishing) != nil {
		return msiFatal
	}
	switch {
	case reboot && (r.restart || g.rebootsByItself()):
		return msiRebootInitiated
	case reboot:
		return msiRebootRequired
	}
	return msiSuccess
}

func (g *Guest) rebootsByItself() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tools.quirks.reboots
}

func (g *Guest) loseNetwork(d time.Duration) {
	if g.cfg.OnNetworkLoss != nil {
		g.cfg.OnNetworkLoss(d)
	}
}

// installed are the features, in the order of the feature table. g.mu is held.
func (g *Guest) installed() []string {
	return slices.DeleteFunc(allFeatures(g.cfg.ToolsVersion), func(f string) bool { return !g.tools.features[f] })
}

// target says which features a request leads to, and whether it repairs. A name that this version of Tools does not
// know is an error. g.mu is held.
func (g *Guest) target(r request) (features []string, repair bool, err error) {
	known := allFeatures(g.cfg.ToolsVersion)
	for _, name := range slices.Concat(r.add, r.remove, r.reinstall) {
		if name != "ALL" && !slices.Contains(known, name) {
			return nil, false, fmt.Errorf("Error 2711. The specified feature name ('%s') not found in Feature table.", name)
		}
	}
	has := func(list []string, f string) bool { return slices.Contains(list, f) || slices.Contains(list, "ALL") }
	before := g.installed()
	if !g.tools.installed && len(r.add) == 0 {
		before = defaultFeatures(g.cfg.ToolsVersion)
	}
	for _, f := range known {
		wanted := has(r.add, f) || slices.Contains(before, f)
		if wanted && !has(r.remove, f) {
			features = append(features, f)
			repair = repair || has(r.reinstall, f) && g.tools.installed
		}
	}
	return features, repair, nil
}

// apply makes the change. It returns whether a reboot has to follow. g.mu is held.
func (g *Guest) apply(r request, after []string, repair bool) (reboot bool) {
	if r.uninstall {
		g.uninstallTools()
		g.needReboot()
		return true
	}
	fresh := running
	if q := &g.tools.quirks; g.cfg.RebootNeeded || q.wantsReboot || q.reboots || g.pendingReboot() {
		fresh, reboot = stopped, true
		g.needReboot()
	}
	before := g.installed()
	if !g.tools.installed {
		g.installTools(nil)
	}
	for _, f := range before {
		if !slices.Contains(after, f) {
			g.removeFeature(f)
		}
	}
	for _, f := range after {
		if repair || !slices.Contains(before, f) {
			g.addFeature(f, fresh)
		}
	}
	if r.setup {
		g.tools.quirks.unregistered = false
	}
	if g.updating() { // both at once lose a driver (KB 318796)
		g.removeFeature("VMCI")
	}
	if repair {
		g.tools.healsAtBoot = reboot && g.tools.broken != ""
		if !reboot {
			g.tools.broken = ""
		}
	}
	return reboot
}
