package policy

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// Before judges what can be judged before anything is contacted: whether this playbook may be run at all, and whether a
// probe of it would run commands that its author vouches for. Planning runs probes, so a judgement of the plan would come too late.
func Before(p engine.Policy, pb *engine.Playbook) Verdict {
	j := &judge{Policy: p}
	var files []plan.File
	for _, f := range pb.Files {
		files = append(files, plan.NewFile(f))
	}
	j.playbook(pb.Path, files)
	var probes []string
	for _, item := range pb.Items {
		if item.Play == nil {
			continue
		}
		for e := range engine.Walk(item.Play.Entries) {
			if e.Kind == engine.EntryProbe && slices.Contains(commands, e.Module.Name) {
				probes = append(probes, fmt.Sprintf("%s (%s)", e.Address, e.Module.Name))
			}
		}
	}
	if slices.Contains(p.Deny, engine.DenyProbeCommands) {
		j.probeCommands(probes)
	}
	return j.verdict()
}

// commands are the modules whose probes run what the playbook's author wrote, and promised to change nothing.
var commands = []string{"command", "shell", "powershell"}

func (j *judge) probeCommands(probes []string) bool {
	if len(probes) > 0 {
		j.say("deny", false, fmt.Sprintf("probe_commands: %s a command of the playbook's author: %s", plural(len(probes), "probe runs", "probes run"), some(probes)))
	}
	return len(probes) == 0
}

// playbook judges the playbook by its name, and where it has to be signed each file by its hash.
func (j *judge) playbook(path string, files []plan.File) {
	var names []string
	for _, p := range j.Playbooks {
		if !strings.HasPrefix(p, "sha256:") {
			names = append(names, p)
		}
	}
	switch {
	case len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return named(path, name) }):
		j.say("playbooks", false, fmt.Sprintf("the playbook is %s; permitted is %s", path, strings.Join(names, ", ")))
		return
	case !j.Require.SignedPlaybook:
		j.say("playbooks", true, path+" is permitted")
		return
	}
	var strangers []string
	for _, f := range files {
		if hash := "sha256:" + f.SHA256; !slices.Contains(j.Playbooks, hash) {
			strangers = append(strangers, fmt.Sprintf("%s (%s)", f.Path, hash))
		}
	}
	if slices.Sort(strangers); len(strangers) > 0 {
		j.say("playbooks", false, "signed_playbook: the hash is not in playbooks of "+strings.Join(strangers, ", "))
		return
	}
	j.say("playbooks", true, fmt.Sprintf("%s: %s permitted by the hash", path, plural(len(files), "file is", "files are all")))
}

// named tells whether a path ends in a name, whole folders counted.
func named(file, name string) bool {
	file, name = path.Clean(filepath.ToSlash(file)), path.Clean(filepath.ToSlash(name))
	return file == name || strings.HasSuffix(file, "/"+name)
}

// some names up to four of many.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
