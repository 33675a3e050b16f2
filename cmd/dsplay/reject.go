package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/spf13/cobra"
)

func (a *app) rejectCommand() *cobra.Command {
	var reason, key string
	c := &cobra.Command{
		Use:   "reject PLAN",
		Short: "Say that a plan must not be applied, and why; nothing is contacted",
		Long: `reject writes PLAN.rejected beside the plan: its id, who rejects it, when and why. From then on approve, verify and apply
refuse the plan, however many people approved it. It stops the plan where this file is seen: whoever applies a copy in another
folder, without the file, is not stopped. So send it along, or tell them.

A rejection holds without a signature; one with --key (namespace ` + approve.RejectNamespace + `) also proves who made it. A plan
that was made again is another plan, and not rejected. To take a rejection back, remove the file.
` + exitHelp,
		Example: `  dsplay reject plan.json --reason "not during the month-end closing; ask again on Monday"
  dsplay reject plan.json --reason "esx3 is in maintenance" --key agent`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE:              func(_ *cobra.Command, args []string) error { return a.reject(args[0], reason, key) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVarP(&reason, "reason", "r", "", "why: the next person to look at the plan reads it")
	completes(c, "reason", cobra.NoFileCompletions)
	c.Flags().StringVarP(&key, "key", "k", "", "sign the rejection, too: file of a key, or agent, agent:COMMENT, agent:SHA256:…")
	completes(c, "key", completeKey)
	return c
}

func (a *app) reject(path, reason, keyName string) (err error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return errors.New("why? Say --reason TEXT: whoever made the plan has to know; nothing was rejected")
	}
	_, d, err := readPlan(path)
	if err != nil {
		return err
	}
	var signer approve.Signer
	if keyName != "" {
		key, err := a.signer(keyName)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, key.Close()) }()
		signer = key
		a.tellTouch(key)
	}
	name, host := whoami()
	r := approve.Rejection{ID: d.ID, Who: name + "@" + host, When: time.Now(), Reason: reason}
	to, err := waitFor(a, func() (string, error) { return approve.Reject(path, r, signer) })
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Rejected: %s\nPlan id:  %s\n", to, d.ID)
	if signer != nil {
		fmt.Fprintf(a.out, "Signed:   %s.sig; ssh-keygen -Y verify -f FILE -I YOU@DOMAIN -n %s -s %[3]s.sig < %[3]s\n", to, approve.RejectNamespace, engine.QuoteSh(to))
	}
	return nil
}
