package ssh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
)

// Via says what the way to address leads through, and what of it an ssh_config says, with the lines; "": nothing.
func (s *Settings) Via(address string) string {
	p, parts, err := s.viaConfig(address)
	if err != nil {
		return strings.Join(parts, "; ")
	}
	var way string
	switch {
	case len(p.jump) > 0:
		way = "jump host " + texts(p.jump)[0]
		if len(p.jump) > 1 {
			way = "jump hosts " + strings.Join(texts(p.jump), ", ")
		}
	case p.command != "":
		way = "a ProxyCommand"
	default:
		way = p.dialer.Via(address)
	}
	if way != "" {
		parts = append([]string{way}, parts...)
	}
	return strings.Join(parts, "; ")
}

func (s *Settings) viaConfig(address string) (p parsed, parts []string, err error) {
	q, ok := s.question(address)
	if !ok {
		p, err = s.parse()
		return p, nil, err
	}
	a, err := s.read().last(context.Background(), q) //nolint:forbidigo // nothing is waited for: no command is run
	if errors.Is(err, sshconfig.ErrExec) {
		return p, []string{s.Config + ", which runs commands to decide"}, err
	}
	if err != nil {
		return p, []string{s.Config + ", which cannot be read"}, err
	}
	if said := a.said(s); said != "" {
		parts = []string{said}
	}
	p, err = s.with(a.options)
	return p, parts, err
}

// said lists what counts of the file, and what would and does not, by file: "~/.ssh/config: HostName db1 (line 3)".
func (a answer) said(s *Settings) string {
	var files []string
	lines := map[string][]string{}
	add := func(p sshconfig.Place, text string) {
		file := short(p.File)
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
		lines[file] = append(lines[file], fmt.Sprintf("%s (line %d)", text, p.Line))
	}
	for _, t := range a.options.Taken {
		if !s.overrules(t.Directive) {
			add(t.Place, t.Directive+" "+t.Value)
		}
	}
	for _, n := range a.notices {
		add(n.Place, n.Directive+" has no effect")
	}
	var all []string
	for _, file := range files {
		all = append(all, file+": "+strings.Join(lines[file], ", "))
	}
	return strings.Join(all, "; ")
}

// overrules tells whether the connection block says itself what a directive says.
func (s *Settings) overrules(directive string) bool {
	said := map[string]bool{
		"User": s.User != "", "Port": s.Port != 0, "IdentityFile": s.Key != "" || len(s.Keys) > 0, "CertificateFile": s.Certificate != "",
		"IdentitiesOnly": s.IdentitiesOnly != nil, "IdentityAgent": !s.Agent, "UserKnownHostsFile": s.namesKnownHosts(),
		"GlobalKnownHostsFile": s.namesKnownHosts(), "HostKeyAlias": s.HostKeyAlias != "", "StrictHostKeyChecking": s.HostKeys != "",
		"HashKnownHosts": s.HashKnownHosts, "RevokedHostKeys": s.RevokedHostKeys != "", "ConnectTimeout": s.ConnectTimeout != "",
		"ServerAliveInterval": s.Keepalive != "", "BindAddress": s.SourceAddress != "", "AddressFamily": s.AddressFamily != "",
		"ProxyJump": s.Jump != nil, "ProxyCommand": s.Jump != nil || s.Proxy != "",
		"Tag": true, "IgnoreUnknown": true, // they are for the file itself
	}
	return said[directive]
}

// unasked is a sentence for errors: ~/.ssh/config says something of the host, and nobody said that it should be asked.
func (s *Settings) unasked(ctx context.Context, address string) string {
	home, err := os.UserHomeDir()
	if s.Config != "" || err != nil {
		return ""
	}
	a, err := s.read().last(ctx, question{sshconfig.UserFile(home), sshconfig.Query{Host: address, NoExec: true}})
	if err != nil {
		return ""
	}
	for _, t := range a.options.Taken {
		if slices.Contains([]string{"HostName", "User", "Port", "IdentityFile", "ProxyJump", "ProxyCommand"}, t.Directive) {
			return fmt.Sprintf("; %s:%d has %s for it, and is not asked unless you say config = \"~/.ssh/config\" or -F ~/.ssh/config", short(t.File), t.Line, t.Directive)
		}
	}
	return ""
}

// short is a path with ~ for the home directory.
func short(path string) string {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok && err == nil {
		return "~/" + filepath.ToSlash(rest)
	}
	return path
}
