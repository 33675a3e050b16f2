package sshconfig

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// options makes the result of what was read.
func (s *state) options() (Options, error) {
	o := Options{
		HostName: s.host, User: s.text("user"), Port: s.number("port"), IdentitiesOnly: s.text("identitiesonly") == "yes",
		HostKeyAlias: strings.ToLower(s.text("hostkeyalias")), HashKnownHosts: s.text("hashknownhosts") == "yes",
		StrictHostKeyChecking: s.text("stricthostkeychecking"), ConnectTimeout: s.number("connecttimeout"),
		ServerAliveInterval: s.number("serveraliveinterval"), BindAddress: s.text("bindaddress"), AddressFamily: s.text("addressfamily"),
		HostKeyAlgorithms: s.text("hostkeyalgorithms"), PubkeyAcceptedAlgorithms: s.text("pubkeyacceptedalgorithms"),
		RequiredRSASize: s.number("requiredrsasize"), KexAlgorithms: s.text("kexalgorithms"), Ciphers: s.text("ciphers"), MACs: s.text("macs"), Taken: s.taken(),
	}
	if o.AddressFamily == "any" {
		o.AddressFamily = ""
	}
	for _, step := range []func(*Options) error{s.files, s.knownHosts, s.agent, s.proxy} {
		if err := step(&o); err != nil {
			return Options{}, err
		}
	}
	return o, nil
}

func (s *state) number(key string) int {
	n, err := strconv.Atoi(s.text(key))
	if err != nil {
		return 0 // nothing is said
	}
	return n
}

func (s *state) files(o *Options) (err error) {
	if o.IdentityFiles, err = s.paths(s.many["identityfile"]); err == nil {
		o.CertificateFiles, err = s.paths(s.many["certificatefile"])
	}
	return err
}

// paths is nil when nothing is said, and empty when "none" is.
func (s *state) paths(values []value) ([]string, error) {
	var all []string
	for _, v := range values {
		if all == nil {
			all = []string{}
		}
		if strings.EqualFold(v.args[0], "none") {
			continue
		}
		path, err := s.path(v.args[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.place, err)
		}
		all = append(all, path)
	}
	return all, nil
}

func (s *state) knownHosts(o *Options) error {
	// The system's files are named as they are: no ~, no tokens.
	if v, ok := s.values["globalknownhostsfile"]; ok {
		o.GlobalKnownHosts = slices.DeleteFunc(slices.Clone(v.args), func(f string) bool { return strings.EqualFold(f, "none") })
	}
	if file := s.text("revokedhostkeys"); !strings.EqualFold(file, "none") {
		o.RevokedHostKeys = tilde(file, s.file.home)
	}
	v, ok := s.values["userknownhostsfile"]
	if !ok {
		return nil
	}
	var files []value
	for _, name := range v.args {
		files = append(files, value{place: v.place, args: []string{name}})
	}
	var err error
	o.UserKnownHosts, err = s.paths(files)
	return err
}

// agent knows the names that stand for a socket besides its path.
func (s *state) agent(o *Options) error {
	v, ok := s.values["identityagent"]
	if !ok {
		return nil
	}
	text := v.args[0]
	variable, isVariable := strings.CutPrefix(text, "$")
	switch {
	case text == "none":
		o.IdentityAgent = "none"
		return nil
	case text == "SSH_AUTH_SOCK":
		variable, isVariable = text, true
	case strings.HasPrefix(text, "${"):
		isVariable = false
	}
	if isVariable {
		if o.IdentityAgent = os.Getenv(variable); o.IdentityAgent == "" {
			o.IdentityAgent = "none"
		}
		return nil
	}
	var err error
	if o.IdentityAgent, err = s.path(text); err != nil {
		return fmt.Errorf("%s: %w", v.place, err)
	}
	return nil
}

// proxy is one of ProxyJump and ProxyCommand, if any.
func (s *state) proxy(o *Options) (err error) {
	if o.Jump, err = hops(s.text("proxyjump")); err != nil {
		return err
	}
	v, ok := s.values["proxycommand"]
	if !ok || strings.EqualFold(v.args[0], "none") {
		return nil
	}
	all, some := s.tokens(s.host), map[byte]string{}
	for _, c := range []byte("hknpr") {
		some[c] = all[c]
	}
	if o.ProxyCommand, err = expand(v.args[0], some, nil); err != nil {
		return fmt.Errorf("%s: ProxyCommand: %w", v.place, err)
	}
	return nil
}

// lastJump is the host of the last hop, which %j stands for.
func (s *state) lastJump() string {
	all, err := hops(s.text("proxyjump"))
	if err != nil || len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Host
}

// taken lists what holds, in the order of the table.
func (s *state) taken() []Taken {
	var all []Taken
	for _, d := range Directives {
		values := slices.Clone(s.many[strings.ToLower(d.Name)])
		if v, ok := s.values[strings.ToLower(d.Name)]; ok && v.place.File != "" {
			values = append(values, v)
		}
		for _, v := range values {
			if d.Name == "HostName" {
				v.raw = s.host // what people look for
			}
			if d.Use == Honoured {
				all = append(all, Taken{v.place, d.Name, v.raw})
			}
		}
	}
	return all
}
