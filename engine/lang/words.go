package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// form is what a block may hold.
type form struct {
	attrs, blocks []string
	required      []string // attributes
	labels        []string // what each label is
	rest          bool     // other attributes and blocks belong to somebody else
}

// form reports what does not belong into a block, and what is missing; false: labels are missing, so it cannot be used.
func (l *loader) form(b *hclsyntax.Block, f form) bool {
	if len(b.Labels) > len(f.labels) {
		l.fail(b.LabelRanges[len(f.labels)], "Too many labels", "%s", usage(b.Type, f.labels))
	}
	if len(b.Labels) < len(f.labels) {
		l.fail(b.DefRange(), "Missing label", "%s", usage(b.Type, f.labels))
		return false
	}
	for _, a := range inOrder(b.Body.Attributes) {
		if !slices.Contains(f.attrs, a.Name) && !f.rest {
			l.unexpected("argument", a.Name, a.NameRange, "in "+b.Type, f.attrs)
		}
	}
	for _, x := range b.Body.Blocks {
		if !slices.Contains(f.blocks, x.Type) && !f.rest {
			l.unexpected("block", x.Type, x.TypeRange, "in "+b.Type, f.blocks)
		}
	}
	for _, name := range f.required {
		if b.Body.Attributes[name] == nil {
			l.fail(b.DefRange(), "Missing argument", "%s needs the argument %q.", b.Type, name)
		}
	}
	return len(b.Labels) == len(f.labels)
}

func usage(block string, labels []string) string {
	text := "It is written " + block
	for _, label := range labels {
		text += ` "` + label + `"`
	}
	return text + " { … }."
}

// one gives the only block of a type; a second one is reported.
func (l *loader) one(body *hclsyntax.Body, name string) *hclsyntax.Block {
	var found *hclsyntax.Block
	for _, b := range body.Blocks {
		switch {
		case b.Type != name:
		case found == nil:
			found = b
		default:
			l.fail(b.DefRange(), "Block given twice", "There is one %s already, at line %d.", name, found.DefRange().Start.Line)
		}
	}
	return found
}

// identifier reports a name that could not be used in an expression.
func (l *loader) identifier(name string, where hcl.Range) bool {
	if hclsyntax.ValidIdentifier(name) {
		return true
	}
	l.fail(where, "Name not allowed", "%q must be a name that expressions can use: letters, digits, _ and -, beginning with a letter.", name)
	return false
}

// unexpected reports a word that means nothing where it stands.
func (l *loader) unexpected(kind, name string, where hcl.Range, in string, known []string) {
	switch text := foreign(name); {
	case kind == "argument" && asBlock[name] != "":
		l.fail(where, "It is a block", "There is no argument %q %s. %s", name, in, asBlock[name])
	case text != "":
		l.fail(where, "A word of another language", "There is no %s %q %s. %s", kind, name, in, text)
	default:
		more := infer.Suggest(name, known)
		if more == "" && len(known) > 0 {
			more = " Known are: " + strings.Join(known, ", ") + "."
		}
		l.fail(where, "Unknown "+kind, "There is no %s %q %s.%s", kind, name, in, more)
	}
}

// asBlock are blocks that people write as arguments.
var asBlock = map[string]string{
	"sudo": `Write a block, sudo {}, with user = "…" for another one than root.`, "retry": `Write a block, with an argument a line: retry { attempts = 3, delay = "10s" }.`,
}

// foreign says what takes the place of a word of Ansible or Terraform, or "".
func foreign(word string) string {
	if text, ok := replacements[word]; ok {
		return text
	}
	if strings.HasPrefix(word, "with_") {
		return replacements["loop"]
	}
	if strings.HasPrefix(word, "become_") {
		return replacements["become"]
	}
	return ""
}

// replacements are the words that people bring from Ansible and Terraform, and what they write here.
var replacements = map[string]string{
	"handler": handlers, "handlers": handlers, "notify": handlers, "listen": handlers,
	"register":     "Every probe and step keeps its result: read it as probe.NAME or step.NAME.",
	"gather_facts": "Nothing is gathered unasked: write a probe, and read it as probe.NAME.",
	"setup":        "Nothing is gathered unasked: write a probe, and read it as probe.NAME.",
	"set_fact":     "Write a locals block between two plays.",
	"vars":         "Write variable and locals blocks at file level.", "vars_files": "Write variable blocks at file level.", "vars_prompt": "Write variable blocks at file level.",
	"once": once, "run_once": once,
	"serial":       `Write batch = [1, "25%"].`,
	"delegate_to":  `Write on = "HOST": the name of the host that does it.`,
	"local_action": `Write on = "localhost".`,
	"connection":   "How a host is reached stands in the inventory.", "remote_user": "How a host is reached stands in the inventory.",
	"become": `Write sudo {}, with user = "…" for another one than root.`,
	"loop":   "Write for_each = a map, or a set of strings, and read each.key and each.value.",
	"items":  "Write for_each = a map, or a set of strings, and read each.key and each.value.",
	"until":  "Write retry { attempts = 3, delay = \"10s\", until = … }, one argument a line.", "retries": "Write retry { attempts = … }; attempts counts every execution.",
	"delay":               "Write it into a retry block.",
	"max_fail_percentage": `Write max_failures = "5%".`, "any_errors_fatal": "Write max_failures = 0.",
	"ignore_unreachable": "Write ignore_errors = true, or allow failures with max_failures.",
	"assert":             "Write check \"NAME\" { condition = … }.", "fail": "Write check \"NAME\" { condition = false }.",
	"pause": "Write retry { until = … } at the probe that can see that the waiting is over.", "wait_for": "Write retry { until = … } at the probe that can see that the waiting is over.",
	"tasks": "Entries stand in the play itself.", "pre_tasks": "Entries stand in the play itself.", "post_tasks": "Entries stand in the play itself.", "task": `Write step "MODULE" "NAME" or probe "MODULE" "NAME".`,
	"roles": `Write include "SOURCE" "NAME".`, "role": `Write include "SOURCE" "NAME".`,
	"import_tasks": `Write include "SOURCE" "NAME".`, "include_tasks": `Write include "SOURCE" "NAME".`, "import_playbook": "A playbook is one file of plays.",
	"always": "Write block \"NAME\" { … finally { … } }.", "no_log": "Secrets are never shown: read them with secret(), or declare the variable sensitive.",
	"environment": "Environment variables are an argument of command.", "strategy": "Hosts never wait for each other inside a play; two plays are a barrier.",
	"forks": "Write parallel = 10.", "throttle": "Write parallel = 10.", "async": "Write timeout and retry.", "poll": "Write timeout and retry.",
	"check_mode": "dsplay plan looks and changes nothing.", "module_defaults": "Write the arguments, or a local for them.",
	"resource": `Write step "MODULE" "NAME".`, "data": `Write probe "MODULE" "NAME".`, "depends_on": "Entries run in the order in which they are written.",
	"module": `Write include "SOURCE" "NAME".`, "output": "The results of probes are in the report.", "provider": "How a host is reached stands in the inventory.",
	"terraform": "A playbook needs no settings block.", "lifecycle": "Entries run in the order in which they are written.",
}

const (
	handlers = "Write when = step.NAME.changed at the step that shall follow."
	once     = `Write a play of its own with hosts = ["dsm1"], or with hosts = ["localhost"].`
)
