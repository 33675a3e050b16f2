package tlspath

import (
	"crypto/x509"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/tlslook"
)

// worst first: what explains most.
var order = []tlslook.State{tlslook.Intercepted, tlslook.ProxyAuth, tlslook.Expired, tlslook.WrongName, tlslook.Forbidden, tlslook.DNS,
	tlslook.Proxy, tlslook.Timeout, tlslook.Refused, tlslook.NoTLS, tlslook.Unknown, tlslook.Genuine}

func (l *look) result(paths []Path, seen []tlslook.Seen) Result {
	l.compare(paths, seen)
	r := Result{Cause: "none", Paths: paths}
	worst := tlslook.Genuine
	for i := range paths {
		fill(&paths[i], seen[i])
		if l.counts(paths[i]) && slices.Index(order, seen[i].State) < slices.Index(order, worst) {
			worst, r.Message, r.By = seen[i].State, paths[i].Host+" ("+paths[i].Via+"): "+seen[i].Message, ""
			if worst == tlslook.Intercepted {
				r.By = seen[i].By()
			}
		}
	}
	if worst != tlslook.Genuine {
		r.Cause, r.Intercepted = string(worst), worst == tlslook.Intercepted
	}
	return r
}

// counts tells whether the updates go this way.
func (l *look) counts(p Path) bool { return l.Proxy == "" || p.Via == "proxy" }

// compare finds interceptions by somebody who is trusted here.
func (l *look) compare(paths []Path, seen []tlslook.Seen) {
	expected := regexp.MustCompile(l.Expected) // Validate has tried it
	for i, s := range seen {
		if s.State != tlslook.Genuine {
			continue
		}
		if l.Expected != "" && !slices.ContainsFunc(s.Chain, func(c *x509.Certificate) bool { return expected.MatchString(c.Issuer.String()) }) {
			seen[i].State, seen[i].Message = tlslook.Intercepted, "its certificate is signed by "+s.By()+", which expected_issuer does not match: TLS is inspected on the way"
		}
		if i > 0 && paths[i-1].Host == paths[i].Host && seen[i-1].State == tlslook.Genuine && authority(seen[i-1]) != authority(s) {
			seen[i].State, seen[i].Message = tlslook.Intercepted, "its certificate is signed by "+s.By()+" there, and by "+seen[i-1].By()+" on the direct way: the proxy inspects TLS"
		}
	}
}

// authority is the organisation behind a chain: hosts of one name may have several certificates of one authority.
func authority(s tlslook.Seen) string {
	top := s.Chain[len(s.Chain)-1].Issuer
	if len(top.Organization) > 0 {
		return strings.Join(top.Organization, ",")
	}
	return top.String()
}

func fill(p *Path, s tlslook.Seen) {
	p.State, p.Message, p.Chain = string(s.State), s.Message, []string{}
	if len(s.Chain) == 0 {
		return
	}
	leaf := s.Chain[0]
	p.Subject, p.Issuer, p.SHA256, p.Until = leaf.Subject.String(), leaf.Issuer.String(), s.Fingerprint(), leaf.NotAfter.UTC().Format(time.RFC3339)
	for _, c := range s.Chain {
		p.Chain = append(p.Chain, c.Issuer.String())
	}
}
