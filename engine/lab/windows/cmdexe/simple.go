package cmdexe

import (
	"context"
	"maps"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// simple runs one command without operators: a built-in one, a program or a batch file.
func (s *session) simple(ctx context.Context, text string) uint32 {
	if text = strings.TrimLeft(text, " \t,;="); text == "" {
		return 0
	}
	if name, tail, ok := s.builtinName(text); ok {
		code := s.builtin(ctx, name, tail)
		if code != 0 || !keepsLevel(name) {
			s.level = code
		}
		return code
	}
	name, tail := programName(text)
	return s.external(ctx, name, tail, false)
}

// builtinName splits "echo.x", "cd\x" and "dir/b" as well as "echo x".
func (s *session) builtinName(text string) (name, tail string, ok bool) {
	i := strings.IndexFunc(text, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') })
	if i < 0 {
		i = len(text)
	}
	name = strings.ToLower(text[:i])
	if !isBuiltin(name) || i < len(text) && !strings.ContainsRune(" \t.,;=/(:+[]\\", rune(text[i])) {
		return "", "", false
	}
	if i < len(text) && text[i] == '.' && name != "echo" && name != "cd" && name != "type" {
		return "", "", false // set.exe, copy.cmd
	}
	return name, text[i:], true
}

// programName splits a program from its arguments; a slash ends the name as a blank does.
func programName(text string) (name, tail string) {
	if strings.HasPrefix(text, `"`) {
		name, tail, _ = strings.Cut(text[1:], `"`)
		return name, tail
	}
	quoted := false
	for i, c := range text {
		if c == '"' {
			quoted = !quoted
		} else if !quoted && strings.ContainsRune(" \t,;=/", c) {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// external runs a program or a batch file. A batch file that is not called never returns to the one that ran it.
func (s *session) external(ctx context.Context, name, tail string, called bool) uint32 {
	if strings.ContainsAny(name, "|<>*?") {
		s.complain("The filename, directory name, or volume label syntax is incorrect.")
		s.level = 123
		return 1
	}
	info, problem := s.find(name)
	if problem != nil {
		s.complain(problem.Error())
		s.level = 3
		return 1
	}
	switch ext := strings.ToLower(info.Path[strings.LastIndexByte(info.Path, '.')+1:]); {
	case info.Path == "":
		s.complain("'%s' is not recognized as an internal or external command,\r\noperable program or batch file.", name)
		s.level = NotFound
		return 1
	case ext == "cmd" || ext == "bat":
		caller := s.batch
		code := s.runBatch(ctx, info.Path, name, tail, "")
		if caller != nil && !called {
			caller.ended = true
		}
		return code
	case info.Program == "":
		s.complain("The system cannot execute the specified program.")
		s.level = 1
		return 1
	case info.Program == "cmd":
		s.level = s.command(ctx, tail)
		return s.level
	}
	p := &Process{Path: info.Path, Args: strings.TrimLeft(tail, " \t"), Argv: SplitArgs(tail), User: s.user, Dir: s.dir,
		Env: s.environment(), Stdin: s.in, Stdout: s.out, Stderr: s.err}
	s.level = s.sys.Program(ctx, info.Program, p)
	return s.level
}

func (s *session) environment() map[string]string { return maps.Clone(s.vars) }

// find looks for a program: in the folder that the name has, or in the current one and those of PATH.
// An empty path means that there is none; an error, that the folder of the name is not there.
func (s *session) find(name string) (disk.Info, error) {
	if strings.ContainsAny(name, `\:`) {
		path := disk.Clean(s.dir, name)
		if _, err := s.sys.Disk.List(disk.Dir(path)); err != nil {
			return disk.Info{}, disk.ErrNoPath
		}
		return s.withExtension(path), nil
	}
	for _, dir := range append([]string{s.dir}, strings.Split(s.vars["PATH"], ";")...) {
		if len(dir) < 3 || name == "" {
			continue
		}
		if info := s.withExtension(disk.Clean(dir, name)); info.Path != "" {
			return info, nil
		}
	}
	return disk.Info{}, nil
}

func (s *session) withExtension(path string) disk.Info {
	names := []string{}
	if strings.Contains(disk.Base(path), ".") {
		names = append(names, path)
	}
	for _, ext := range []string{".com", ".exe", ".bat", ".cmd"} {
		names = append(names, path+ext)
	}
	for _, name := range names {
		if info, ok := s.sys.Disk.Stat(name); ok && !info.Dir {
			return info
		}
	}
	return disk.Info{}
}

// isProgram tells whether a name in quotes is an executable file, for the rule of cmd /c.
func (s *session) isProgram(name string) bool {
	info, err := s.find(name)
	return err == nil && info.Path != ""
}

// Find looks for a program in a folder and along a PATH, as cmd.exe does; the path is empty where there is none.
func Find(sys *System, dir, searchPath, name string) disk.Info {
	s := &session{sys: sys, dir: dir, vars: map[string]string{"PATH": searchPath}}
	info, _ := s.find(name)
	return info
}
