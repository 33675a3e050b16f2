package approve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Judge sorts signatures into those that approve a plan and those that do not count, each with the reason. data is the
// whole file of the plan. Of one person one approval counts, and none of the planner: neither one that was made with a
// key that the planner holds, nor one in the planner's name, nor one of whoever shares a key or a name with the planner.
func Judge(data []byte, signatures []Signature, allowed *Signers, planner plan.Planner, now time.Time) ([]Approval, []Refusal) {
	who := newPeople(allowed, planner)
	approvals, refused := []Approval{}, []Refusal{}
	for _, s := range signatures {
		h, err := allowed.holder(data, s, Namespace, now)
		if err != nil {
			refused = append(refused, Refusal{Plain(strings.Join(h.names, ",")), h.key, s.File, Plain(err.Error())})
			continue
		}
		who.meet(h.key, h.names, planner)
		if h.authority != "" && slices.Contains(planner.Keys, h.authority) {
			who.join(thePlanner, "key "+h.key) // who holds the key of an authority can be anybody
		}
		approvals = append(approvals, Approval{Plain(strings.Join(h.names, ",")), h.key, s.File, s.At})
	}
	slices.SortStableFunc(approvals, func(a, b Approval) int {
		return cmp.Or(cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.File, b.File))
	})
	counted := map[string]Approval{}
	approvals = slices.DeleteFunc(approvals, func(a Approval) bool {
		first, again := counted[who.of(a.Key)]
		reason := ""
		switch {
		case who.isPlanner(a.Key):
			reason = who.whyPlanner(a, planner)
		case again:
			reason = fmt.Sprintf("it is the same person as %s (%s): they share a key or a name", first.Principal, first.File)
		default:
			counted[who.of(a.Key)] = a
			return false
		}
		refused = append(refused, Refusal{a.Principal, a.Key, a.File, reason})
		return true
	})
	return approvals, refused
}

// whyPlanner says how somebody is known to be the planner.
func (p people) whyPlanner(a Approval, planner plan.Planner) string {
	by := planner.User + "@" + planner.Host
	if slices.Contains(planner.Keys, a.Key) {
		return fmt.Sprintf("%s, who made the plan, has this key (in ~/.ssh or the agent)", by)
	}
	for name := range strings.SplitSeq(a.Principal, ",") {
		if isPlanner(name, planner) {
			return fmt.Sprintf("this is %s, who made the plan", by)
		}
	}
	return fmt.Sprintf("by the allowed signers this is %s, who made the plan: they share a key or a name", by)
}

// holder is who made a signature, as far as that is known.
type holder struct {
	names     []string
	key       string // fingerprint
	authority string // fingerprint of the key that certified it; empty: none
}

// holder tells who made a signature of data. With an error it says what is known all the same.
func (s *Signers) holder(data []byte, signature Signature, namespace string, now time.Time) (h holder, err error) {
	if signature.Err != nil {
		return h, signature.Err
	}
	parsed, err := unarmor(signature.Text)
	if err != nil {
		return h, err
	}
	if err := verify(data, parsed, namespace); err != nil {
		return h, err // the key is not shown: whoever made this need not hold it
	}
	h.key = Fingerprint(parsed.PublicKey)
	if c, ok := parsed.PublicKey.(*ssh.Certificate); ok {
		h.authority = Fingerprint(c.SignatureKey)
	}
	h.names, err = s.names(parsed, namespace, now)
	return h, err
}

// names finds the people who are allowed to sign with the key of a signature. The lines of the file are alternatives.
func (s *Signers) names(signature *sshsig.Signature, namespace string, now time.Time) (names []string, err error) {
	var because error
	for _, l := range s.lines {
		found, mine, err := l.allows(signature.PublicKey, now)
		if !mine {
			continue
		}
		if err == nil {
			err = l.usable(namespace, now)
		}
		if err != nil {
			because = cmp.Or(because, fmt.Errorf("%w (%s:%d)", err, s.path, l.number))
			continue
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	switch names = slices.Compact(names); {
	case len(names) > 0:
		return names, nil
	case because != nil:
		return nil, because
	}
	return nil, fmt.Errorf("no line of %s has this key", s.path)
}

// allows tells whether a line is about a key, and who may sign with it by this line.
func (l line) allows(key ssh.PublicKey, now time.Time) (names []string, mine bool, err error) {
	c, certified := key.(*ssh.Certificate)
	switch {
	case l.authority && certified && same(l.key, c.SignatureKey):
		names, err = l.certifies(c, now)
		return names, true, err
	case !l.authority && same(l.key, key):
		names, err = l.names()
		return names, true, err
	}
	return nil, false, nil
}

func same(a, b ssh.PublicKey) bool { return string(a.Marshal()) == string(b.Marshal()) }

// certifies gives the names of a certificate that the line of its authority allows.
func (l line) certifies(c *ssh.Certificate, now time.Time) (names []string, err error) {
	for _, name := range c.ValidPrincipals {
		if name != "" && matchesList(name, l.principals) {
			names = append(names, name)
		}
	}
	switch {
	case c.CertType != ssh.UserCert:
		return nil, errors.New("its certificate is that of a host")
	case len(names) == 0:
		return nil, fmt.Errorf("its certificate is for %q, and its authority may certify %q", c.ValidPrincipals, l.principals)
	}
	checker := ssh.CertChecker{Clock: func() time.Time { return now }}
	if err := checker.CheckCert(names[0], c); err != nil {
		return nil, fmt.Errorf("its certificate is not valid: %w", err)
	}
	return names, nil
}
