//go:build windows

package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/lab/wine/settings"
	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// listen serves until the process is killed, as a computer does.
func listen(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s settings.Settings
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	o := wsman.Options{Addr: s.Addr, Users: s.Users, NTLM: true, Basic: s.Basic, Handle: remoteShell}
	if s.Keytab != "" {
		o.Kerberos = &wsman.Kerberos{Keytab: s.Keytab}
	}
	if s.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(s.Key))
		if err != nil {
			return err
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	server, err := wsman.Listen(o)
	if err != nil {
		return err
	}
	secure, err := sshd.Listen(sshd.Options{
		Password: func(user, password string) bool { return password != "" && s.Users[user] == password }, Handle: login,
	})
	if err != nil {
		return err
	}
	fmt.Println("listening", server.Addr(), secure.Addr(), base64.StdEncoding.EncodeToString(secure.HostKey().Marshal()))
	select {}
}
