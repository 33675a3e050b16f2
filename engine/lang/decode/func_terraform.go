package decode

import (
	"maps"
	"slices"
)

// Note is something about a function, or an operator, of Terraform.
type Note struct{ Name, Text string }

// LeftOut are Terraform's functions that the language does not have, by name, with the reason and what does it instead.
func LeftOut() []Note { return sorted(leftOut) }

// Differences are the functions, and operators, of which a case is known where the language does not do what Terraform does.
func Differences() []Note { return sorted(differences) }

// NotHere says why one of Terraform's functions is left out; "": it is none, or it is there.
func NotHere(name string) string { return leftOut[name] }

func sorted(texts map[string]string) []Note {
	var notes []Note
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		notes = append(notes, Note{name, texts[name]})
	}
	return notes
}

var leftOut = map[string]string{
	"abspath":         "Paths are relative to the playbook wherever one is read, and a path of this machine means nothing on a host.",
	"base64gzip":      "What it gives depends on the version of the compressor; copy the file.",
	"bcrypt":          "It gives something else at each call, so no plan could be kept to. Store the hash, and read it with secret().",
	"ephemeralasnull": "There are no ephemeral values; secrets are never stored.",
	"fileset":         "The files of a folder may be others between plan and run. Name the files in a list, or in a file that yamldecode(file(…)) reads.",
	"issensitive":     "Nothing may depend on what is secret; dsplay vars shows which variables are.",
	"nonsensitive":    "A secret stays one: nothing that is shown or stored holds it.",
	"pathexpand":      "file, secret and their like take ~ themselves.",
	"plantimestamp":   "The time is no part of a plan. window says when a playbook may run.",
	"rsadecrypt":      "Secrets come from secret(), which reads them where they are protected.",
	"sensitive":       "A secret has a name, under which it is shown: read it with secret(), or declare the variable sensitive.",
	"templatefile":    "It is called template here.",
	"timestamp":       "It gives something else at each call, so no plan could be kept to. window says when a playbook may run.",
	"uuid":            "It gives something else at each call, so no plan could be kept to. uuidv5 gives the same for the same name.",
}

const strictPrefix = "An address with leading zeros, which some programs take for octal, is an error. An IPv4-mapped IPv6 prefix stays one."

var differences = map[string]string{
	"&&":             "A null decides nothing, but it is an error only when the other side does not decide either. Terraform always refuses it.",
	"||":             "As &&.",
	"cidrhost":       strictPrefix + " A number that does not fit is an error, for IPv6, too; Terraform gives an address outside the prefix.",
	"cidrnetmask":    strictPrefix,
	"cidrsubnet":     strictPrefix + " Negative numbers, and numbers that do not fit, are errors; Terraform gives a network outside the prefix.",
	"cidrsubnets":    strictPrefix,
	"contains":       "It can be asked for null, as == can. Terraform refuses that.",
	"element":        "An index below 0 counts from the end. Terraform refuses it.",
	"format":         "A null without a type is a value like any other: %v writes null, %s fails. Terraform takes it for unknown.",
	"formatlist":     "As format.",
	"signum":         "It takes fractions and numbers of any size.",
	"templatestring": "The template may be any text. Terraform wants the name of a local value or the like, lest ${} be evaluated twice; write $${} in a literal.",
}
