package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/spf13/cobra"
)

type approveFlags struct {
	key, out string
	yes      bool
}

func (a *app) approveCommand() *cobra.Command {
	var f approveFlags
	c := &cobra.Command{
		Use:   "approve PLAN",
		Short: "Sign a plan with an SSH key; nothing is contacted",
		Long: `approve shows what a plan would do at the worst, asks, and writes an OpenSSH signature of the plan's file beside it. The
signature covers every byte of the plan: what is executed, on which hosts, until when. It does not cover the world: apply looks
again, and refuses when it would have to decide otherwise. Look at the whole plan before (dsplay show PLAN).

The key is a private key; a public key whose private half the agent has; or the word agent for the agent's only key, or
agent:COMMENT or agent:SHA256:… for one of several. A key of a security key signs through the agent.

Others see whether the approval counts with dsplay verify, or with ssh-keygen -Y verify. Where approvals are required, that of
whoever made the plan does not count.
` + exitHelp,
		Example: `  dsplay approve plan.json --key ~/.ssh/id_ed25519
  dsplay approve plan.json --key agent
  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n dsplay-plan plan.json    the same without dsplay: writes plan.json.sig`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE:              func(_ *cobra.Command, args []string) error { return a.approve(args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVarP(&f.key, "key", "k", "", "file of the key to sign with, or agent, agent:COMMENT, agent:SHA256:…")
	completes(c, "key", completeKey)
	c.Flags().StringVarP(&f.out, "out", "o", "", "file of the signature (default: PLAN, the beginning of the key's fingerprint, and .sig)")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask before signing")
	return c
}

// completeKey offers the agent; files are completed by the shell.
func completeKey(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if word != "" && strings.HasPrefix("agent", word) {
		return []cobra.Completion{"agent"}, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveDefault
}

func (a *app) approve(path string, f approveFlags) (err error) {
	switch {
	case f.key == "":
		return errors.New("with which key? Say --key FILE, or --key agent; nothing was signed")
	case !f.yes && !a.asksAtTerminal():
		return errors.New("nobody can be asked without a terminal: say --yes to sign; nothing was signed")
	}
	data, d, err := readPlan(path)
	if err != nil {
		return err
	}
	if err := approvable(path, d, time.Now()); err != nil {
		return &exitError{exitRefused, fmt.Errorf("%s: %w; nothing was signed", path, err)}
	}
	key, err := a.signer(f.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	summarize(a.out, d)
	if slices.Contains(d.Planner.Keys, approve.Fingerprint(key.PublicKey())) {
		fmt.Fprintf(a.err, "note: this key belongs to whoever made the plan (%s): where approvals are required, this one will not count\n", maker(d))
	}
	if !f.yes {
		if err := a.confirmed(a.out, fmt.Sprintf("\nApprove this with %s?", approve.Fingerprint(key.PublicKey()))); err != nil {
			return &exitError{exitRefused, fmt.Errorf("not approved: %w; nothing was signed", err)}
		}
	}
	return a.sign(path, data, d, key, f.out)
}

// approvable tells whether it makes sense to approve a plan.
func approvable(path string, d *plan.Document, now time.Time) error {
	if err := standing(d, now); err != nil {
		return err
	}
	r, err := approve.Rejected(path, d.ID)
	if err == nil && r != nil {
		err = fmt.Errorf("the plan was rejected by %s", r)
	}
	return err
}

// signer opens a key; a passphrase is asked for at the terminal.
func (a *app) signer(name string) (*approve.Key, error) {
	keys := approve.Keys{Socket: os.Getenv("SSH_AUTH_SOCK")}
	if a.asksAtTerminal() {
		keys.Ask = a.askSecret
	}
	key, err := keys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--key: %w; nothing was signed", err)
	}
	return key, nil
}

// sign writes the signature, and says how it is used. An approval that is there already is good as it is.
func (a *app) sign(path string, data []byte, d *plan.Document, key *approve.Key, out string) error {
	to := out
	if to == "" {
		to = approve.FileOf(path, key.PublicKey())
	}
	if before, err := os.ReadFile(to); err == nil && approve.Approves(before, data, key.PublicKey()) {
		fmt.Fprintf(a.out, "\nApproved already with this key: %s\n", to)
		return nil
	}
	a.tellTouch(key)
	text, err := waitFor(a, func() ([]byte, error) { return approve.Sign(data, key, approve.Namespace) })
	if err != nil {
		return fmt.Errorf("%w; nothing was signed", err)
	}
	if err := approve.Write(to, text); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there, and is not an approval of this plan with this key: move it away, or say --out", to)
		}
		return fmt.Errorf("write the approval: %w", err)
	}
	a.tellApproval(path, to, d, key)
	return nil
}

func (a *app) tellTouch(key *approve.Key) {
	if key.NeedsTouch() {
		fmt.Fprintln(a.err, "Touch the security key now.")
	}
}

func (a *app) tellApproval(path, to string, d *plan.Document, key *approve.Key) {
	fmt.Fprint(a.out, strings.NewReplacer("TO", engine.QuoteSh(to), "PLAN", engine.QuoteSh(path), "ID", d.ID,
		"NAMESPACE", approve.Namespace, "KEY", key.Line(approve.Namespace)).Replace(`
Approved: TO
Plan id:  ID

Others verify it with
  dsplay verify PLAN --allowed-signers FILE
  ssh-keygen -Y verify -f FILE -I you@your.domain -n NAMESPACE -s TO < PLAN
where FILE has this line, with your name in it:
  you@your.domain KEY
Give them the signature, and the id by another way than the plan: dsplay apply PLAN --expect ID
`))
}

// summarize is what an approver must not overlook: who made the plan, and what it does at the worst.
func summarize(out io.Writer, d *plan.Document) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, text string) {
		if text = oneLine(text); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	row("Plan", d.ID)
	row("Playbook", d.Playbook.Path)
	row("", d.Playbook.Description)
	row("Made", fmt.Sprintf("%s by %s", clock(d.Made), maker(d)))
	row("Until", clock(d.Until))
	row("Limit", strings.Join(d.Limit, ", "))
	row("At worst", d.Worst.String())
	row("Acts on", some(d.Worst.Hosts, 20))
	row("Impact", d.Playbook.Impact)
	row("Way back", d.Playbook.Backout)
	_ = w.Flush() // to where the question goes: who does not see it does not answer
}

func maker(d *plan.Document) string { return oneLine(d.Planner.User + "@" + d.Planner.Host) }

// some names the first of many.
func some(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// oneLine is a text of others for one line of a terminal.
func oneLine(text string) string {
	return approve.Plain(strings.Join(strings.Fields(text), " "))
}
