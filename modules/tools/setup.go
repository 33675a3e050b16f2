package tools

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const drives = "D E F G H I J K L M N O P Q R S T U V W X Y Z"

// upgrader is a file that only the image of VMware Tools has: other images have a setup64.exe, too.
const upgrader = `VMwareToolsUpgrader.exe`

// virtualCD succeeds when drive %d is a virtual CD drive of VMware. What is found runs as SYSTEM, and users may write to the root
// of a data volume, and mount images of their own; but what Windows says of the device behind a letter only administrators can
// change. For a CD drive that is its name in UTF-16LE, like \??\SCSI#CdRom&Ven_NECVMWar&Prod_VMware_SATA_CD01#… or
// \??\IDE#CdRomNECVMWar_VMware_IDE_CDR10…#…, which reg.exe prints in hex; a mounted image is Ven_Msft (high). The digits are "NECVMWar".
const virtualCD = `reg.exe query HKLM\SYSTEM\MountedDevices /v \DosDevices\%d: 2>nul | findstr.exe /i 4E004500430056004D00570061007200 >nul`

const (
	holdsImage = `) do @if exist %d:\` + upgrader + ` if exist %d:\setup64.exe ` + virtualCD + ` && `
	// images prints the installers on images of VMware Tools.
	images = `for %d in (` + drives + holdsImage + `echo %d:\setup64.exe`
)

var found = regexp.MustCompile(`(?m)^([D-Z]:\\setup64\.exe)\s*$`)

// choose is a line of the job's file that sets dsplay_setup to the installer, when one of these drives holds the image as the
// job runs, and else to the name of no program. It is written by echo, hence the carets; %% passes cmd.exe's command line as it is.
func choose(drives string) string {
	line := `set dsplay_setup=no-image-of-vmware-tools& for %d in (` + drives + holdsImage + `set dsplay_setup=%d:\setup64.exe`
	return strings.NewReplacer("%", "%%", "&", "^&", "|", "^|", ">", "^>").Replace(line)
}

const chosen = "!dsplay_setup!"

// setup is how the installer is called. Where it has to be found or fetched first, when the job runs, j gets a line for that.
func (t *Tools) setup(ctx context.Context, host engine.Reader, j *job) (string, error) {
	switch {
	case t.Installer == media:
		j.before = choose(drives)
		return chosen, nil
	case t.onShare(): // the change takes the network away: what is installed from must be here
		j.before = `copy /y "` + t.Installer + `" ` + j.file(".exe") + ` ^>nul`
		return "if exist " + j.file(".exe") + " " + j.file(".exe"), nil
	case t.Installer != auto:
		return quoted(t.Installer), nil
	}
	out, err := host.Run(ctx, engine.Command{Shell: images, AnyOK: true})
	if err != nil {
		return "", err
	}
	m := found.FindStringSubmatch(out.Stdout)
	if m == nil {
		return "", failed(host, "there is no installer in the guest (the image of VMware Tools in a virtual CD drive of VMware); nothing was started",
			`let a step before this one put the image in (vm_tools_media, and here installer = "media"), or say where the installer is: installer`)
	}
	j.before = choose(m[1][:1]) // the letter may have become that of another drive until then
	return chosen, nil
}

func (t *Tools) onShare() bool { return strings.HasPrefix(t.Installer, `\\`) }

func quoted(path string) string {
	if strings.ContainsAny(path, " (),;=") {
		return `"` + path + `"`
	}
	return path
}

// there tells whether the installer is in the guest. Of a share only SYSTEM of the guest can tell.
func (t *Tools) there(ctx context.Context, host engine.Reader) (bool, error) {
	line := images
	switch {
	case t.Installer == auto || t.onShare():
		return true, nil
	case t.Installer != media:
		line = "if exist " + quoted(t.Installer) + " echo " + t.Installer
	}
	out, err := host.Run(ctx, engine.Command{Shell: line, AnyOK: true})
	return err == nil && strings.TrimSpace(out.Stdout) != "", err
}

// showsUp is how long a guest may take to show what was put into its drive.
const showsUp = 2 * time.Minute

// ready is asked before the installer is started; false: not yet. An error tells what keeps it from that: nothing was done then.
func (t *Tools) ready(ctx context.Context, host engine.Reader) (bool, error) {
	st := Status{}
	if err := st.lookBusy(ctx, host); err != nil {
		return false, err
	}
	if st.Busy != "" {
		return false, &engine.Error{Kind: engine.KindBusy, Host: host.Name(), Op: "change VMware Tools", Msg: st.Busy + "; nothing was started",
			Hint: `try again when that is over: retry { on = ["busy"] }; a mark that stays for hours is left of an installation that was cut, and goes with a reboot`}
	}
	if t.Repair && t.Installer == auto {
		return true, nil
	}
	there, err := t.there(ctx, host)
	if t.sought.IsZero() {
		t.sought = time.Now()
	}
	if err == nil && !there && (t.Installer != media || time.Since(t.sought) > showsUp) {
		err = t.absent(host)
	}
	return there, err
}

func (t *Tools) absent(host engine.Reader) error {
	if t.Installer == media {
		return failed(host, "the image of VMware Tools is in no virtual CD drive of the guest; nothing was started",
			"a step before this one has to put it in (vm_tools_media); has Windows given the drive a letter?")
	}
	return failed(host, "there is no "+t.Installer+" in the guest; nothing was started", "bring it there (copy), or put the image in (vm_tools_media) and say installer = \"media\"")
}
