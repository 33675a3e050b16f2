package decode

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
)

// Foreign says in which other language a file seems to be written, "YAML", "INI" or "JSON"; "" when it looks like HCL. It
// goes by the first line that says anything, and by how the name ends: it is for files that are no HCL, to say what they are.
func Foreign(path string, data []byte) string {
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case ext == ".yml" || ext == ".yaml":
		return "YAML"
	case ext == ".ini" || ext == ".cfg":
		return "INI"
	case ext == ".json":
		return "JSON"
	}
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(bytes.TrimPrefix(line, []byte("\ufeff"))))
		switch {
		case text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";"):
			continue
		case iniLine.MatchString(text):
			return "INI"
		case yamlLine.MatchString(text):
			return "YAML"
		case strings.HasPrefix(text, "{"):
			return "JSON"
		}
		return ""
	}
	return ""
}

var (
	iniLine  = regexp.MustCompile(`^\[[\w.:-]+\]$|^[\w.-]+(\s+\w+=\S+)+$`) // a section; a host with variables of Ansible
	yamlLine = regexp.MustCompile(`^---|^[\w.-]+:(\s|$)|^- `)
)
