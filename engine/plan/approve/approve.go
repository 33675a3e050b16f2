// Package approve knows who approved a plan and who rejected it: OpenSSH signatures beside the file of a plan, the
// people whose signatures count, and what makes two of them one person.
package approve

import (
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
)

// Namespace is what an approval is signed for: a signature that was made for anything else does not count. It is the
// argument -n of ssh-keygen -Y.
const Namespace = "dsplay-plan"

// Options say what a plan needs before it may be applied.
type Options struct {
	AllowedSigners string // file, as ssh-keygen(1) describes it under ALLOWED SIGNERS; empty: no approval is looked for
	Require        int    // how many people must have approved; 0: none must
	Now            time.Time
}

// Report is what was found beside a plan.
type Report struct {
	Required  int        `json:"required"`
	Approvals []Approval `json:"approvals"` // one per person, by name
	Refused   []Refusal  `json:"refused"`   // signatures that do not count
	Rejection *Rejection `json:"rejection,omitempty"`
}

// Approval is a signature that counts.
type Approval struct {
	Principal string `json:"principal"` // the names that the allowed signers give the key, with commas between them
	Key       string `json:"key"`       // SHA256:…
	File      string `json:"file"`
	// At is when the file of the signature was last written. It proves nothing: a signature has no time in it.
	At time.Time `json:"at"`
}

// Refusal is a signature that does not count, and why.
type Refusal struct {
	Principal string `json:"principal,omitempty"` // empty: nobody who is allowed
	Key       string `json:"key,omitempty"`       // empty: the file is no signature
	File      string `json:"file"`
	Reason    string `json:"reason"`
}

// Refused says that a plan must not be applied: somebody rejected it, or too few people approved it.
type Refused struct {
	Report Report
	why    string
}

func (r *Refused) Error() string { return r.why }

// Check looks beside the file of a plan for a rejection and for approvals. data is what was read from file and will be
// applied, and d what plan.Read made of it. The error is *Refused when the plan must not be applied; any other error
// means that it could not be judged (the allowed signers cannot be read, say), and then it must not be applied either.
func Check(file string, data []byte, d *plan.Document, o Options) (Report, error) {
	report := Report{Required: o.Require, Approvals: []Approval{}, Refused: []Refusal{}}
	if o.Require < 0 {
		return report, fmt.Errorf("--require-approvals %d: there is no such number of people", o.Require)
	}
	var err error
	if report.Rejection, err = Rejected(file, d.ID); err != nil {
		return report, err
	}
	if o.AllowedSigners != "" {
		allowed, err := ReadSigners(o.AllowedSigners)
		if err != nil {
			return report, err
		}
		signatures, err := Signatures(file)
		if err != nil {
			return report, err
		}
		report.Approvals, report.Refused = Judge(data, signatures, allowed, d.Planner, o.Now)
	}
	switch {
	case report.Rejection != nil:
		return report, &Refused{report, "the plan was rejected by " + report.Rejection.String()}
	case o.Require > 0 && o.AllowedSigners == "":
		return report, fmt.Errorf("approvals are required (%d), and nobody said whose count: --allowed-signers FILE", o.Require)
	case len(report.Approvals) < o.Require:
		return report, &Refused{report, report.Missing()}
	}
	return report, nil
}

// shown is how many refused signatures the sentence about missing approvals explains.
const shown = 4

// Missing says in one sentence how many approvals there are, whose, and why others do not count.
func (r Report) Missing() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d approvals", len(r.Approvals), r.Required)
	for i, a := range r.Approvals {
		b.WriteString(separator(i) + fmt.Sprintf("%s (%s)", a.Principal, a.Key))
	}
	for i, x := range r.Refused {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more that do not count", len(r.Refused)-shown)
			break
		}
		b.WriteString("; " + x.String())
	}
	if len(r.Approvals)+len(r.Refused) == 0 {
		b.WriteString(": there is no signature beside the plan")
	}
	return b.String()
}

func separator(i int) string {
	if i == 0 {
		return ": "
	}
	return ", "
}

// String is "bob@corp's does not count: he made the plan", without guessing who is a he.
func (r Refusal) String() string {
	switch {
	case r.Principal != "":
		return fmt.Sprintf("that of %s (%s) does not count: %s", r.Principal, r.File, r.Reason)
	case r.Key != "":
		return fmt.Sprintf("%s by %s does not count: %s", r.File, r.Key, r.Reason)
	}
	return fmt.Sprintf("%s does not count: %s", r.File, r.Reason)
}
