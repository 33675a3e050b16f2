package lab

import (
	"time"

	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

// otherImage is what somebody has put into the drive of a guest.
const otherImage = "[LocalDS_0] iso/erp-client-4.2.iso"

// appears is the lab time until Windows shows what was put into its drive.
const appears = 3 * time.Second

// insert is a change of the drive: the guest shows it a little later, or at once when it is told by a fault.
func (g *guest) insert(image string) {
	switch image {
	case "":
		g.machine().EjectMedia()
	case vcenter.ToolsImage:
		g.machine().MountTools()
	default:
		g.machine().MountForeign()
	}
}

// inserted is a change that came over the vCenter's API.
func (l *Lab) inserted(vm, image string) {
	if g, ok := l.machines[vm].(*guest); ok {
		l.background(func() {
			if image == "" || l.clock.Wait(l.ctx, appears) == nil {
				g.insert(image)
			}
		})
	}
}

// image is what is in the drives of a lab that has no fault.
func (l *Lab) image() string {
	if l.opts.NoToolsMedia {
		return ""
	}
	return vcenter.ToolsImage
}

// putIn makes the drive of a guest hold an image, in the vCenter's view and in Windows.
func putIn(image string) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		return l.onGuest(target, func(g *guest) error {
			l.vcenter.Insert(g.name, image)
			g.insert(image)
			return nil
		})
	}
}

func removeDrive(l *Lab, target string) error {
	return l.onGuest(target, func(g *guest) error {
		l.vcenter.RemoveDrive(g.name)
		g.insert("")
		return nil
	})
}
