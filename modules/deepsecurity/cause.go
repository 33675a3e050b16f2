package deepsecurity

import (
	"regexp"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// causes, in the order in which they explain: a text about a signature may speak of certificates, too.
var causes = []struct {
	name  string
	words *regexp.Regexp
	hint  string
}{
	{"signature_expired", regexp.MustCompile(`(?i)CERT_EXPIRE|(^|[^0-9])-24([^0-9]|$)`), "upgrade the relay (KA-0016311); no setting of the update source helps"},
	{"relay_old", regexp.MustCompile(`(?i)digital signature|SIGNATURE|too old|署名`), "upgrade the relay (KA-0012761); no setting of the update source helps"},
	// Not sourced, neither the words nor that an update fails for it with this event: licences are its subject in either language.
	{"licence", regexp.MustCompile(`(?i)licen[cs]e|activation code|ライセンス`), "look at Administration > Licenses and renew the licence; no setting of the update source helps"},
	{"proxy_auth", regexp.MustCompile(`(?i)\b407\b|proxy authentication|プロキシ.*認証`), "give relay and DSM the login of the proxy (Administration > System Settings > Proxies)"},
	{"dns", regexp.MustCompile(`(?i)resolve|unknown host|name or service not known|名前解決`), "look at DNS of the relay, or of its proxy"},
	{"tls", regexp.MustCompile(`(?i)certificate|\bTLS\b|\bSSL\b|証明書`), "look with tls_path who signs; exempt the update hosts from TLS inspection"},
	{"timeout", regexp.MustCompile(`(?i)in time|timed? ?out|タイムアウト`), "look at the way from the relay to the source: firewall, proxy"},
	{"unreachable", regexp.MustCompile(`(?i)cannot be reached|unable to communicate|接続できません|通信できません`), "the computer itself does not answer the DSM"},
}

func causeOf(text string) string {
	for _, c := range causes {
		if c.words.MatchString(text) {
			return c.name
		}
	}
	return "unknown"
}

func (u *update) failure(host engine.Reader, e *dsm.Event) error {
	name, hint := causeOf(e.Description), "look at the events of the relay in the console"
	for _, c := range causes {
		if c.name == name {
			hint = c.hint
		}
	}
	return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "update " + u.computer.Label(), Msg: "it failed (" + strings.ReplaceAll(name, "_", " ") + "): " + e.Title + ": " + e.Description, Hint: hint}
}
