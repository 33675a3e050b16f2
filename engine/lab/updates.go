package lab

import (
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/dsplay/dsplay/engine/lab/update"
)

// relayUser is the relay's user at the proxy, where that wants one.
const relayUser = "relay"

// updateTakes is the lab time between the start of an update and its event.
const updateTakes = time.Minute

// Update is the truth about the way of security updates.
type Update struct {
	Mode         string `json:"mode"` // the DSM's settings
	URL          string `json:"url"`
	Host         string `json:"host"`      // the update server, as the proxy knows it
	Address      string `json:"address"`   // where it is
	Proxy        string `json:"proxy"`     // of the relay
	PublicCA     string `json:"public_ca"` // a file: who signs for the update server
	Intercepts   bool   `json:"intercepts"`
	RelayBuild   string `json:"relay_build"`
	RelayVersion string `json:"relay_version"` // of its patterns; "": none
	Tasks        int    `json:"tasks"`         // scheduled tasks that somebody has left in the DSM
}

// updates are the systems through which updates come.
type updates struct {
	server *update.Server
	proxy  *update.Proxy
	relay  *update.Relay
}

// startUpdates makes the way of the updates: nobody but the proxy knows where the server is.
func (l *Lab) startUpdates() (err error) {
	u := &updates{}
	l.updates = u
	u.server, err = update.Listen(net.JoinHostPort(l.ip(0, serverByte), "0"), func(request string) {
		l.received.add(Received{Time: time.Now(), Kind: "update", Host: serverName, Text: request})
	})
	if err != nil {
		return err
	}
	names := map[string]string{update.Host + ":443": u.server.Addr()}
	u.proxy, err = update.ListenProxy(net.JoinHostPort(l.ip(0, proxyByte), "0"), names, u.server.Public.Pool(), func(request, user string) {
		l.received.add(Received{Time: time.Now(), Kind: "proxy", Host: proxyName, User: user, Text: request})
	})
	if err != nil {
		return err
	}
	u.relay = update.NewRelay(u.server, u.proxy.Addr())
	if err := os.WriteFile(l.publicCA(), u.server.Public.PEM(), 0o600); err != nil {
		return err
	}
	return nil
}

func (l *Lab) publicCA() string { return filepath.Join(l.opts.Dir, "public-ca.pem") }

func (u *updates) close() {
	if u == nil {
		return
	}
	if u.proxy != nil {
		u.proxy.Close()
	}
	if u.server != nil {
		u.server.Close()
	}
}

// fetch is one update, which takes its time.
func (u *updates) fetch(l *Lab, source string) (string, error) {
	if err := l.clock.Wait(l.ctx, updateTakes); err != nil {
		return "", err
	}
	return u.relay.Fetch(l.ctx, source)
}

// heal is Clear's part.
func (u *updates) heal() {
	u.proxy.Set(func(m *update.Manner) { *m = update.Manner{} })
	u.relay.Age(update.Current)
	u.relay.Login("", "")
}

// mend is Heal's part.
func (u *updates) mend(target, password string) bool {
	switch target {
	case proxyName:
		u.proxy.Set(func(m *update.Manner) { *m = update.Manner{} })
	case relayName:
		u.relay.Age(update.Current)
		u.relay.Login(relayUser, password)
	default:
		return false
	}
	return true
}

func (u *updates) truth(l *Lab) Update {
	s := l.dsm.Source()
	return Update{Mode: s.Mode, URL: s.URL, Host: update.Host + ":443", Address: u.server.Addr(), Proxy: "http://" + u.proxy.Addr(), PublicCA: l.publicCA(),
		Intercepts: u.proxy.Manner().Intercept, RelayBuild: u.relay.Build(), RelayVersion: u.relay.Version(), Tasks: l.dsm.Tasks()}
}

func onProxy(change func(m *update.Manner, l *Lab)) func(l *Lab, _ string) error {
	return func(l *Lab, _ string) error {
		l.updates.proxy.Set(func(m *update.Manner) { change(m, l) })
		return nil
	}
}

// ageRelay is relay-old: it keeps the signature of one version, and then there is a newer one.
func (l *Lab) ageRelay(string) error {
	if _, err := l.updates.relay.Fetch(l.ctx, update.URL); err != nil {
		return err
	}
	l.updates.relay.Age(update.Unrenewed)
	l.updates.server.Publish()
	return nil
}
