package windows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

const errRegMissing = "ERROR: The system was unable to find the specified registry key or value."

// regArgs are the arguments of reg.exe.
type regArgs struct {
	key, name, find, kind, data string
	hasName, tree, all          bool
	exact, onlyData             bool // /e, and /d of a query
}

func parseReg(argv []string) regArgs {
	var a regArgs
	for i := 1; i < len(argv); i++ {
		switch flag := strings.ToLower(argv[i]); {
		case flag == "/v":
			i++
			a.name, a.hasName = at(argv, i), true
		case flag == "/ve":
			a.hasName = true
		case flag == "/t":
			i++
			a.kind = strings.ToUpper(at(argv, i))
		case flag == "/d" && at(argv, i+1) != "" && strings.EqualFold(argv[0], "add"):
			i++
			a.data = argv[i]
		case flag == "/f" && strings.EqualFold(argv[0], "query"):
			i++
			a.find = at(argv, i)
		case flag == "/e":
			a.exact = true
		case flag == "/d":
			a.onlyData = true
		case flag == "/s":
			a.tree = true
		case flag == "/va":
			a.all = true
		case strings.HasPrefix(flag, "/"):
		case a.key == "":
			a.key = longKey(argv[i])
		}
	}
	return a
}

func longKey(key string) string {
	key = strings.Trim(key, `\`)
	for short, long := range map[string]string{"HKLM": "HKEY_LOCAL_MACHINE", "HKCR": `HKEY_LOCAL_MACHINE\SOFTWARE\Classes`,
		"HKEY_CLASSES_ROOT": `HKEY_LOCAL_MACHINE\SOFTWARE\Classes`} {
		head, rest, more := strings.Cut(key, `\`)
		if strings.EqualFold(head, short) {
			if more {
				return long + `\` + rest
			}
			return long
		}
	}
	return key
}

// reg is "reg query|add|delete". What follows from the state of the guest cannot be changed by it.
func (g *Guest) reg(ctx context.Context, p *cmdexe.Process) uint32 {
	a := parseReg(p.Argv)
	verb := strings.ToLower(at(p.Argv, 0))
	if verb == "add" || verb == "delete" {
		touch.Mark(ctx)
	}
	switch {
	case verb != "query" && verb != "add" && verb != "delete" || a.key == "":
		return g.fail(p, 1, "ERROR: Invalid syntax.\r\nType \"REG /?\" for usage.")
	case verb == "query":
		return g.regQuery(p, a)
	case !g.administrator(p.User):
		return g.fail(p, 1, "ERROR: Access is denied.")
	case verb == "add":
		return g.regAdd(p, a)
	}
	return g.regDelete(p, a)
}

func (g *Guest) regQuery(p *cmdexe.Process, a regArgs) uint32 {
	g.mu.Lock()
	view := g.view()
	g.mu.Unlock()
	key := view[strings.ToLower(a.key)]
	if key == nil {
		return g.fail(p, 1, errRegMissing)
	}
	if a.find != "" || a.tree {
		return g.regSearch(p, view, a)
	}
	if a.hasName {
		v, ok := key.values[strings.ToLower(a.name)]
		if !ok {
			return g.fail(p, 1, errRegMissing)
		}
		fmt.Fprintf(p.Stdout, "\r\n%s\r\n%s\r\n", key.path, v)
		return 0
	}
	line(p, "")
	if len(key.values) > 0 {
		printKey(p, key)
	}
	for _, below := range view.below(key.path, false) {
		line(p, "%s", below.path)
	}
	return 0
}

func printKey(p *cmdexe.Process, key *regKey) {
	line(p, "%s", key.path)
	for _, name := range slices.Sorted(maps.Keys(key.values)) {
		fmt.Fprintf(p.Stdout, "%s", key.values[name])
	}
	line(p, "")
}

func (v value) String() string {
	name := v.name
	if name == "" {
		name = "(Default)"
	}
	return fmt.Sprintf("    %s    %s    %s\r\n", name, v.kind, v.data)
}

// regSearch is a query with /s, and with /f a search in names and data.
func (g *Guest) regSearch(p *cmdexe.Process, view registry, a regArgs) uint32 {
	keys := view.below(a.key, true)
	keys = append([]*regKey{view[strings.ToLower(a.key)]}, keys...)
	has := func(text string) bool {
		if a.exact {
			return strings.EqualFold(text, a.find)
		}
		return strings.Contains(strings.ToLower(text), strings.ToLower(a.find))
	}
	matches := 0
	for _, key := range keys {
		found := &regKey{key.path, maps.Clone(key.values)}
		maps.DeleteFunc(found.values, func(_ string, v value) bool {
			return a.find != "" && (a.onlyData || !has(v.name)) && !has(v.data) || a.hasName && !strings.EqualFold(v.name, a.name)
		})
		matches += len(found.values)
		if len(found.values) > 0 || a.find == "" && !a.hasName {
			line(p, "")
			printKey(p, found)
		}
	}
	if a.find == "" {
		return 0
	}
	line(p, "End of search: %d match(es) found.", matches)
	if matches == 0 {
		return 1
	}
	return 0
}

func (g *Guest) regAdd(p *cmdexe.Process, a regArgs) uint32 {
	if a.kind == "" {
		a.kind = "REG_SZ"
	}
	if a.kind == "REG_DWORD" {
		n, err := strconv.ParseUint(a.data, 0, 32)
		if err != nil {
			return g.fail(p, 1, "ERROR: Invalid value specified for '/d'.") // as far as is remembered
		}
		a.data = hex(int(n))
	}
	if a.kind == "REG_BINARY" {
		a.data = strings.ToUpper(a.data) // as it is printed
	}
	v := value{kind: a.kind, data: a.data}
	if !a.hasName {
		v.kind = ""
	}
	g.change(func() { g.keys.add(a.key, a.name, v) })
	return line(p, "%s", g.say("The operation completed successfully."))
}

func (g *Guest) regDelete(p *cmdexe.Process, a regArgs) uint32 {
	missing := false
	g.change(func() {
		key := g.keys[strings.ToLower(a.key)]
		switch {
		case key == nil:
			missing = true
		case a.all:
			clear(key.values)
		case a.hasName:
			_, ok := key.values[strings.ToLower(a.name)]
			missing = !ok
			delete(key.values, strings.ToLower(a.name))
		default:
			g.keys.remove(a.key)
		}
	})
	if missing {
		return g.fail(p, 1, errRegMissing)
	}
	return line(p, "%s", g.say("The operation completed successfully."))
}

func hex(n int) string { return fmt.Sprintf("0x%x", n) }
