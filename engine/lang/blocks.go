package lang

import (
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// BlockDoc is a block of the language as a person looks it up.
type BlockDoc struct {
	Name   string
	Usage  string // the first line, as it is written
	Doc    string
	Args   []ArgDoc
	Blocks []string // what may stand in it
	More   string   // what may stand in it besides, in words
}

// ArgDoc is one argument of a block.
type ArgDoc struct {
	Name     string
	Type     string
	Required bool
	Default  string // "" where there is none, or where leaving it out means something of its own
	Doc      string
}

var (
	whenArg  = ArgDoc{Name: "when", Type: "bool", Doc: "a condition; false: it is skipped"}
	titleArg = ArgDoc{Name: "title", Type: "string", Doc: "what people see in place of the name; it may name variables only"}
	tagsArg  = ArgDoc{Name: "tags", Type: "list(string)", Doc: "words by which it is chosen; they add to those of the play"}
	impact   = ArgDoc{Name: "impact", Type: "string", Doc: "what an approver has to know; it may name variables only"}
)

// entryArgs are what every probe and step has, whatever its module.
var entryArgs = []ArgDoc{
	whenArg,
	{Name: "on", Type: "string", Doc: "the name of the host that does it in place of the play's host, as self.vcenter"},
	{Name: "timeout", Type: "string", Default: "5m for a probe, 45m for a step", Doc: "how long one execution may take"},
	{Name: "ignore_errors", Type: "bool", Default: "false", Doc: "a failure does not stop the host"},
	{Name: "for_each", Type: "map, or set or list of strings", Doc: "executes it for each item, which is each.key and each.value; its results are a map by key"},
	{Name: "failed_when", Type: "bool", Doc: "true: it failed although its module is content; result is what the execution gave"},
	{Name: "changed_when", Type: "bool", Doc: "of a step that acted: whether it counts as changed; result is what the execution gave"},
	{Name: "idempotent", Type: "bool", Default: "false", Doc: "of a step: it may be done again although nobody knows whether it was done"},
	titleArg, impact, tagsArg,
}

// probeArgs are entryArgs without what only something that changes has.
func probeArgs() []ArgDoc {
	return slices.DeleteFunc(slices.Clone(entryArgs), func(a ArgDoc) bool { return slices.Contains(stepAttrs, a.Name) })
}

// Blocks gives the blocks of playbooks in the order in which a reader meets them. A test compares it with what the
// loader takes.
func Blocks() []BlockDoc {
	return append(fileBlocks(), entryBlockDocs()...)
}

func fileBlocks() []BlockDoc {
	return []BlockDoc{
		{Name: "playbook", Usage: "playbook {", Doc: "The texts that an approver reads. They may name variables only.", Args: []ArgDoc{
			{Name: "description", Type: "string", Doc: "what the playbook is for"},
			{Name: "impact", Type: "string", Doc: "what users may notice meanwhile"},
			{Name: "backout", Type: "string", Doc: "how to undo it"},
		}},
		{Name: "variable", Usage: `variable "NAME" {`, Doc: "An input, read as var.NAME. dsplay vars shows where its value comes from.", Args: []ArgDoc{
			{Name: "type", Type: "type", Default: "any", Doc: "as in Terraform: string, number, bool, list(…), set(…), map(…), object({…}) with optional(…), tuple([…]), any"},
			{Name: "default", Type: "any", Doc: "its value unless another one is given; without it one must be given"},
			{Name: "description", Type: "string", Doc: "what it is for"},
			{Name: "nullable", Type: "bool", Default: "true", Doc: "false: null is refused, or stands for the default"},
			{Name: "sensitive", Type: "bool", Default: "false", Doc: "true: it is a secret, which nothing shows"},
		}, Blocks: []string{"validation"}},
		{Name: "validation", Usage: "validation {", Doc: "What a variable's value must fulfil; a variable may have several. It may name variables only.", Args: []ArgDoc{
			{Name: "condition", Type: "bool", Required: true, Doc: "true: the value is fine"},
			{Name: "error_message", Type: "string", Required: true, Doc: "what is wrong else, to stand behind the variable's name"},
		}},
		{Name: "locals", Usage: "locals {", Doc: "Names for values, read as local.NAME. They are evaluated where the block stands, and may name what stands before. There may be several blocks.", More: "any argument NAME = EXPRESSION"},
		{Name: "check", Usage: `check "NAME" {`, Doc: "What must hold. At file level it stops the run, in a play the host. when, title and tags are for checks in plays.", Args: []ArgDoc{
			{Name: "condition", Type: "bool", Required: true, Doc: "false: the check fails"},
			{Name: "error_message", Type: "string", Required: true, Doc: "what is said when it fails: for the person at 3 a.m."},
			{Name: "severity", Type: "string", Default: `"error"`, Doc: `"warning": it is reported, and everything goes on`},
			whenArg, titleArg, tagsArg,
		}},
		{Name: "play", Usage: `play "NAME" {`, Doc: "Entries for a set of hosts, each host in their order, hosts in parallel. Afterwards play.NAME.hosts are the hosts with all results, play.NAME.missing the others.", Args: []ArgDoc{
			{Name: "hosts", Type: "list(string)", Required: true, Doc: "names of hosts: group.NAME, a local, a list"},
			{Name: "batch", Type: "list(number or percentage)", Doc: `how many hosts at once, as [1, "25%"]: the last size repeats, percentages round up; left out: all`},
			{Name: "parallel", Type: "number", Default: "--parallel, 50", Doc: "hosts at a time"},
			{Name: "max_failures", Type: "number or percentage", Default: "0 with batch, else unlimited", Doc: "how many hosts may fail or be unreachable; more end the run"},
			{Name: "allow_empty", Type: "bool", Default: "false", Doc: "true: that there is no host is fine"},
			{Name: "window", Type: "string", Doc: `when hosts may be begun, as "Sat,Sun 01:00-05:00 Asia/Tokyo"; outside of it they are not attempted`},
			titleArg, {Name: "tags", Type: "list(string)", Doc: "words by which its entries are chosen"},
		}, Blocks: []string{"probe", "step", "recover", "block", "include", "check", "sudo"}},
	}
}

func entryBlockDocs() []BlockDoc {
	return []BlockDoc{
		{Name: "probe", Usage: `probe "MODULE" "NAME" {`, Doc: "Looks, and changes nothing; it runs while planning, too. Its results are probe.NAME.", Args: probeArgs(),
			Blocks: []string{"retry", "sudo"}, More: "the arguments of the module: dsplay doc MODULE"},
		{Name: "step", Usage: `step "MODULE" "NAME" {`, Doc: "Changes something, and never runs while planning. Its results are step.NAME, with status and changed.", Args: entryArgs,
			Blocks: []string{"retry", "sudo"}, More: "the arguments of the module: dsplay doc MODULE"},
		{Name: "recover", Usage: `recover "NAME" {`, Doc: "A goal, and attempts to reach it: if the goal does not hold, they are made one after the other until it does.",
			Args: []ArgDoc{whenArg, titleArg, impact, tagsArg}, Blocks: []string{"goal", "attempt"}},
		{Name: "goal", Usage: "goal {", Doc: "What shall hold in the end. Its probes are asked first, and again after every attempt.", Args: []ArgDoc{
			{Name: "condition", Type: "bool", Required: true, Doc: "true: the goal is reached; it names the goal's probes"},
			{Name: "error_message", Type: "string", Doc: "what is said while it does not hold, and when no attempt has helped: what is not back"},
			{Name: "within", Type: "string", Default: `"5m"`, Doc: "how long an attempt has to show its effect"},
			{Name: "every", Type: "string", Default: `"10s"`, Doc: "how often the probes are asked meanwhile"},
		}, Blocks: []string{"probe"}},
		{Name: "attempt", Usage: `attempt "NAME" {`, Doc: "One way to reach the goal. One that fails or cannot connect counts as tried.", Args: []ArgDoc{
			{Name: "when", Type: "bool", Doc: "whether it is made, judged from results before the recover"},
		}, Blocks: []string{"probe", "step", "check", "block", "include"}},
		{Name: "block", Usage: `block "NAME" {`, Doc: "Entries that belong together. When one fails, rescue follows, and the host goes on; finally follows in any case. block.NAME says whether it failed.",
			Args: []ArgDoc{whenArg, titleArg, impact, tagsArg}, Blocks: []string{"probe", "step", "recover", "block", "include", "check", "rescue", "finally"}},
		{Name: "rescue", Usage: "rescue {", Doc: "What is done when an entry of the block failed.", Blocks: []string{"probe", "step", "recover", "block", "include", "check"}},
		{Name: "finally", Usage: "finally {", Doc: "What is done in any case, also after the first signal.", Blocks: []string{"probe", "step", "recover", "block", "include", "check"}},
		{Name: "include", Usage: `include "SOURCE" "NAME" {`, Doc: "The entries of another file, whose names are its own. What it gives is include.NAME.OUTPUT.",
			Args: []ArgDoc{whenArg, titleArg, impact, tagsArg}, More: "the inputs of the file"},
		{Name: "input", Usage: `input "NAME" {`, Doc: "What a file that is included is given, read as input.NAME.", Args: []ArgDoc{
			{Name: "type", Type: "type", Default: "any", Doc: "as of a variable"},
			{Name: "default", Type: "any", Doc: "its value where none is given; without it one must be given"},
			{Name: "description", Type: "string", Doc: "what it is for"},
		}},
		{Name: "output", Usage: `output "NAME" {`, Doc: "What a file that is included gives.", Args: []ArgDoc{
			{Name: "value", Type: "any", Required: true, Doc: "the value; it may name what is in the file"},
			{Name: "description", Type: "string", Doc: "what it is"},
		}},
		{Name: "retry", Usage: "retry {", Doc: "Executes an entry again when it failed, or as long as until is false.", Args: []ArgDoc{
			{Name: "attempts", Type: "number", Default: "3", Doc: "executions altogether"},
			{Name: "delay", Type: "string", Default: `"5s"`, Doc: "the time between two executions"},
			{Name: "backoff", Type: "number", Default: "1", Doc: "the factor by which the delay grows"},
			{Name: "on", Type: "list(string)", Doc: "the kinds of errors that are worth another try: " + strings.Join(engine.ErrorKinds(), " ") + "; left out: all. What may have happened and cannot be checked is never done again"},
			{Name: "until", Type: "bool", Doc: "what must hold; result is what the execution gave"},
		}},
		{Name: "sudo", Usage: "sudo {", Doc: "As another user. In a play it counts for all entries without one of their own.", Args: []ArgDoc{
			{Name: "user", Type: "string", Default: "the inventory's, else root", Doc: "who it is done as"},
			{Name: "password", Type: "string", Default: "the inventory's", Doc: `of the user who logs in: secret("…")`},
			{Name: "method", Type: "string", Default: `"sudo"`, Doc: "how the user is changed: sudo, su, doas, or a command line with {user} and {command} (words) or {line} (one word), such as pbrun -u {user} {command}"},
			{Name: "tty", Type: "bool", Default: "false", Doc: "with a terminal, for requiretty and for a doas that asks; the command's stderr then comes on its stdout"},
		}},
	}
}
