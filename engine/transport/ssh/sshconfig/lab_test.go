//go:build lab

package sshconfig

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// asked is a configuration and a question to it. $D stands for its folder, $R for the unique part of a name in ~/.ssh.
type asked struct {
	name, config string
	more         map[string]string // files beside it
	host         string
	user         string
	port         int
	env          map[string]string
	fails        bool
}

// told is what ssh -G says, in its words.
type told map[string]string

var compared = []string{"user", "hostname", "port", "identityfile", "certificatefile", "proxyjump", "proxycommand", "userknownhostsfile",
	"globalknownhostsfile", "hostkeyalias", "identitiesonly", "identityagent", "stricthostkeychecking", "connecttimeout", "serveraliveinterval",
	"bindaddress", "addressfamily", "hashknownhosts", "requiredrsasize", "revokedhostkeys"}

func openssh(t *testing.T, file string, a asked) (told, error) {
	t.Helper()
	args := []string{"-G", "-F", file}
	if a.user != "" {
		args = append(args, "-l", a.user)
	}
	if a.port != 0 {
		args = append(args, "-p", strconv.Itoa(a.port))
	}
	cmd := exec.Command("ssh", append(args, "--", a.host)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 255 { //nolint:errorlint // of os/exec itself
			t.Fatal("the lab needs openssh-client: ", err)
		}
		return nil, fmt.Errorf("%s", errs.String())
	}
	said := told{}
	for _, line := range strings.Split(string(out), "\n") {
		key, value, _ := strings.Cut(line, " ")
		if !slices.Contains(compared, key) {
			continue
		}
		if old, ok := said[key]; ok {
			value = old + "\n" + value
		}
		said[key] = value
	}
	return said, nil
}

// ours puts what Resolve says into the words of ssh -G, which shows some things before tokens are replaced.
func ours(t *testing.T, f *File, a asked) (told, error) {
	t.Helper()
	q := Query{Host: a.host, User: a.user, Port: a.port}
	s, err := f.state(t.Context(), q)
	if err != nil {
		return nil, err
	}
	o, _, err := f.Resolve(t.Context(), q)
	if err != nil {
		return nil, err
	}
	said := told{"hostname": o.HostName, "user": s.user(), "port": s.port()}
	add := func(key, value string) {
		if value != "" {
			said[key] = value
		}
	}
	for _, key := range []string{"identityfile", "certificatefile"} {
		var all []string
		for _, v := range s.many[key] {
			all = append(all, v.args[0])
		}
		add(key, strings.Join(all, "\n"))
	}
	add("proxyjump", jumps(o.Jump))
	if v, ok := s.values["proxycommand"]; ok && !strings.EqualFold(v.args[0], "none") {
		add("proxycommand", v.args[0])
	}
	add("userknownhostsfile", strings.Join(o.UserKnownHosts, " "))
	add("globalknownhostsfile", strings.Join(o.GlobalKnownHosts, " "))
	add("hostkeyalias", o.HostKeyAlias)
	add("identityagent", o.IdentityAgent)
	if raw := s.text("identityagent"); strings.HasPrefix(raw, "$") && !strings.HasPrefix(raw, "${") || raw == "SSH_AUTH_SOCK" {
		add("identityagent", raw) // shown as it is
	}
	add("revokedhostkeys", o.RevokedHostKeys)
	add("bindaddress", o.BindAddress)
	yes := map[bool]string{true: "yes", false: "no"}
	said["identitiesonly"], said["hashknownhosts"] = yes[o.IdentitiesOnly], yes[o.HashKnownHosts]
	said["addressfamily"] = "any"
	add("addressfamily", o.AddressFamily)
	said["stricthostkeychecking"] = "ask"
	add("stricthostkeychecking", map[string]string{"yes": "true", "no": "false"}[o.StrictHostKeyChecking])
	if o.StrictHostKeyChecking == "accept-new" {
		said["stricthostkeychecking"] = "accept-new"
	}
	said["connecttimeout"] = "none"
	add("connecttimeout", s.text("connecttimeout"))
	said["serveraliveinterval"] = "0"
	add("serveraliveinterval", s.text("serveraliveinterval"))
	said["requiredrsasize"] = "1024"
	add("requiredrsasize", s.text("requiredrsasize"))
	return said, nil
}

// jumps writes a way as ssh -G does: the last hop taken apart, what is before it as it was.
func jumps(all []Hop) string {
	var text []string
	for i, h := range all {
		s := h.String()
		if i == len(all)-1 && strings.Trim(h.Host, "0123456789.") == "" {
			s = strings.Replace(s, h.Host, "["+h.Host+"]", 1)
		}
		text = append(text, s)
	}
	return strings.Join(text, ",")
}

// compare asks both. What only one of the two says by default is left out.
func compare(t *testing.T, a asked) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	unique := "dsplay-lab-" + filepath.Base(filepath.Dir(dir)) + "-" + strconv.Itoa(os.Getpid())
	place := strings.NewReplacer("$D", dir, "$R", unique)
	for key, value := range a.env {
		t.Setenv(key, value)
	}
	for name, text := range a.more {
		path := filepath.Join(dir, name)
		if strings.HasPrefix(name, "~/.ssh/") {
			path = filepath.Join(me.HomeDir, ".ssh", place.Replace(strings.TrimPrefix(name, "~/.ssh/")))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Remove(path) })
		}
		if err := os.WriteFile(path, []byte(place.Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "config")
	config := place.Replace(a.config)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	want, theirs := openssh(t, file, a)
	var got told
	f, mine := Load(me.HomeDir, file)
	if mine == nil {
		got, mine = ours(t, f, a)
	}
	if (theirs != nil) != (mine != nil) || a.fails != (theirs != nil) {
		t.Fatalf("host %q, config:\n%s\nmust fail: %t\nssh: %v\nwe: %v", a.host, config, a.fails, theirs, mine)
	}
	differ(t, a, want, got)
}

func differ(t *testing.T, a asked, want, got told) {
	t.Helper()
	for _, key := range compared {
		if _, we := got[key]; !we && slices.Contains([]string{"identityfile", "userknownhostsfile", "globalknownhostsfile"}, key) {
			continue // its defaults are not ours
		}
		if want[key] != got[key] {
			t.Errorf("host %q, config:\n%s\n%v\n%s is %q for ssh, and %q for us", a.host, a.config, a.more, key, want[key], got[key])
		}
	}
}

func TestLabConfigMeansWhatSSHSays(t *testing.T) {
	if len(cases) < 60 {
		t.Errorf("%d cases", len(cases))
	}
	for _, a := range cases {
		if a.host == "" {
			a.host = "db1"
		}
		t.Run(a.name, func(t *testing.T) { compare(t, a) })
	}
}

var cases = []asked{
	{name: "nothing", config: ""},
	{name: "upper case host", config: "", host: "DB1.Example"},
	{name: "host is case sensitive", config: "Host db1\n User a\nHost DB1\n User b", host: "DB1"},
	{name: "first wins", config: "User a\nHost db1\n User b\n Port 22\nHost *\n Port 2222"},
	{name: "order", config: "Host *\n Port 2222\nHost db1\n Port 33"},
	{name: "star", config: "Host d*1\n User a"},
	{name: "question mark", config: "Host db?\n User a\nHost db??\n Port 5"},
	{name: "star in the middle twice", config: "Host *b*1\n User a"},
	{name: "pattern of stars", config: "Host ****\n User a"},
	{name: "negation", config: "Host * !db1\n User a\nHost *\n User b"},
	{name: "negation first", config: "Host !db1 *\n User a\nHost *\n User b"},
	{name: "only negation", config: "Host !db2\n User a"},
	{name: "no comma in Host", config: "Host db1,db2\n User a"},
	{name: "quoted pattern", config: "Host \"db1\" 'x y'\n User a"},
	{name: "equals", config: "Host=db1\nUser=a\nPort = 23\n HostName =x.example"},
	{name: "equals twice", config: "User = =a"},
	{name: "tabs and returns", config: "\tHost\tdb1\r\n\t\tUser\ta\r\n"},
	{name: "form feed", config: "User a\f\n"},
	{name: "comment at the end", config: "User a # him\nPort 23 #x\n# User b"},
	{name: "number sign in a word", config: "User a#b"},
	{name: "comment in Host", config: "Host db2 # db1\n User a"},
	{name: "quoted value with a blank", config: "IdentityFile \"/a b/c\"\nIdentityFile '/d e'"},
	{name: "escapes", config: `IdentityFile /a\ b\"c\\d\e`},
	{name: "escapes in quotes", config: `IdentityFile "/a\ b\"c\\d\'"`},
	{name: "quote in the middle", config: `IdentityFile /a"b c"d`},
	{name: "open quote", config: "IdentityFile \"/a", fails: true},
	{name: "two words", config: "User a b", fails: true},
	{name: "no value", config: "User", fails: true},
	{name: "empty value", config: "User \"\"", fails: true},
	{name: "unknown", config: "Host other\n Frobnicate yes", fails: true},
	{name: "unknown is ignored", config: "IgnoreUnknown Frob*,use*\nFrobnicate yes\nUSEKeychain no\nUser a"},
	{name: "unknown is ignored too late", config: "Frobnicate yes\nIgnoreUnknown Frob*", fails: true},
	{name: "unknown is ignored for another host", config: "Host x\n IgnoreUnknown Frob*\nHost *\nFrobnicate yes", fails: true},
	{name: "keyword in any case", config: "HOSTname x.example\nuSER a"},
	{name: "bad port", config: "Host x\n Port 70000", fails: true},
	{name: "port zero", config: "Port 0", fails: true},
	{name: "bad flag", config: "IdentitiesOnly maybe", fails: true},
	{name: "flag in other words", config: "IdentitiesOnly TRUE\nHashKnownHosts no"},
	{name: "hostname with token", config: "Host db*\n HostName %h.corp.Example%%"},
	{name: "hostname with wrong token", config: "HostName %p", fails: true},
	{name: "hostname is lower case", config: "HostName DB1.Example"},
	{name: "IPv6", config: "Host 2001*\n User a", host: "2001:0db8:0000::0001"},
	{name: "user of the command line", config: "User a\nMatch user b\n Port 9", user: "b"},
	{name: "port of the command line", config: "Port 9\nUserKnownHostsFile /kh/%p", port: 77},
	{name: "identity files accumulate", config: "IdentityFile a\nHost db1\n IdentityFile b\n IdentityFile a\nHost x\n IdentityFile c\nHost *\n IdentityFile d"},
	{name: "certificates accumulate", config: "CertificateFile a\nHost db1\n CertificateFile b\nCertificateFile a"},
	{name: "identity none", config: "IdentityFile none\nIdentityFile a"},
	{name: "known hosts are a list", config: "UserKnownHostsFile /a /b ~/c\nUserKnownHostsFile /d\nGlobalKnownHostsFile /e ~/f"},
	{name: "known hosts none", config: "UserKnownHostsFile none\nGlobalKnownHostsFile none"},
	{name: "known hosts none and more", config: "UserKnownHostsFile none /a", fails: true},
	{name: "tokens", config: "User a\nPort 23\nHostKeyAlias Al\nHostName x%h\nUserKnownHostsFile %d/%h/%i/%k/%L/%l/%n/%p/%r/%u/%%"},
	{name: "hash token", config: "User a\nPort 23\nUserKnownHostsFile /%C"},
	{name: "unknown token", config: "UserKnownHostsFile /%q", fails: true},
	{name: "token at the end", config: "UserKnownHostsFile /a%", fails: true},
	{name: "variables", config: "UserKnownHostsFile ${DSPLAY_T}/x$DSPLAY_T", env: map[string]string{"DSPLAY_T": "/var/t"}},
	{name: "variable that is not there", config: "UserKnownHostsFile ${DSPLAY_NONE}/x", fails: true},
	{name: "variable not closed", config: "UserKnownHostsFile ${DSPLAY_NONE/x", fails: true},
	{name: "tilde of somebody", config: "UserKnownHostsFile ~daemon/x"},
	{name: "tilde of nobody", config: "UserKnownHostsFile ~nosuchuser/x", fails: true},
	{name: "agent", config: "IdentityAgent ~/a/%h.sock"},
	{name: "agent none", config: "IdentityAgent none"},
	{name: "agent by variable", config: "IdentityAgent $DSPLAY_T", env: map[string]string{"DSPLAY_T": "/var/t"}},
	{name: "agent by braces", config: "IdentityAgent ${DSPLAY_T}/s", env: map[string]string{"DSPLAY_T": "/var/t"}},
	{name: "agent as usual", config: "IdentityAgent SSH_AUTH_SOCK"},
	{name: "strict", config: "StrictHostKeyChecking off"},
	{name: "strict accept-new", config: "StrictHostKeyChecking Accept-New"},
	{name: "times", config: "ConnectTimeout 1m30\nServerAliveInterval 1h2m3s"},
	{name: "time none", config: "ConnectTimeout none\nConnectTimeout 7"},
	{name: "bad time", config: "ConnectTimeout 7x", fails: true},
	{name: "jump", config: "ProxyJump a@b:23"},
	{name: "jump with several", config: "ProxyJump one,two@two:2,ssh://u@three:33"},
	{name: "jump address", config: "ProxyJump 10.0.0.1"},
	{name: "jump IPv6", config: "ProxyJump u@[2001:db8::1]:23"},
	{name: "jump none", config: "Host db1\n ProxyJump none\nHost *\n ProxyJump b\n ProxyCommand nc %h %p"},
	{name: "jump before command", config: "ProxyJump b\nProxyCommand nc %h %p"},
	{name: "command before jump", config: "ProxyCommand nc %h %p # not a comment\nProxyJump b"},
	{name: "command none before jump", config: "ProxyCommand none\nProxyJump b"},
	{name: "bad jump", config: "Host x\n ProxyJump @b", fails: true},
	{name: "bad jump port", config: "ProxyJump b:0", fails: true},
	{name: "command with equals", config: "ProxyCommand=nc -X 5 \"a b\" %h"},
	{name: "match all", config: "Match all\n User a"},
	{name: "match all with more", config: "Match all host db1\n User a", fails: true},
	{name: "match and all", config: "Match host db1 all\n User a"},
	{name: "match not all", config: "Match !all\n User a"},
	{name: "match host list", config: "Match host a,db*,!dbx\n User a"},
	{name: "match host list with blanks", config: "Match host a db1\n User a", fails: true},
	{name: "match negated pattern", config: "Match host *,!db1\n User a"},
	{name: "match negated", config: "Match !host db2\n User a"},
	{name: "match host sees HostName", config: "HostName real\nMatch host real\n User a\nMatch host db1\n Port 5\nMatch originalhost db1\n HostKeyAlias x"},
	{name: "match host sees tokens", config: "HostName %h.example\nMatch host db1.example\n User a"},
	{name: "match host in any case", config: "Match host DB1\n User a", host: "Db1"},
	{name: "match originalhost with equals", config: "Match originalhost=db1 user=root\n Port 7"},
	{name: "match user", config: "User ops\nMatch user ops,root\n Port 7"},
	{name: "match user before it is said", config: "Match user ops\n Port 7\nMatch all\n User ops"},
	{name: "match localuser", config: "Match localuser r??t,daemon\n Port 7"},
	{name: "match without condition", config: "Match # host db1\n User a", fails: true},
	{name: "match unknown", config: "Match frob x\n User a", fails: true},
	{name: "match without value", config: "Match host\n User a", fails: true},
	{name: "match exec", config: "Match exec \"test %h = db1\"\n User a\nMatch exec false\n Port 7\nMatch !exec false\n HostKeyAlias y"},
	{name: "match exec is not run after a no", config: "Match host x exec \"echo x > $D/ran; true\"\n User a\nMatch exec \"test -e $D/ran\"\n Port 7"},
	{name: "match exec tokens", config: "User u\nPort 8\nHostKeyAlias k\nMatch exec \"test %r-%p-%k-%n-%u = u-8-k-db1-root\"\n ConnectTimeout 3"},
	{name: "final", config: "Host db1\n HostName real\nMatch final host real\n User a\nMatch final originalhost db1\n Port 4"},
	{name: "final lets Host see the name", config: "Host db1\n HostName Real\n IdentityFile one\nHost real\n User b\n IdentityFile two\nMatch final\n Port 4"},
	{name: "final does not override", config: "User a\nMatch final\n User b\n Port 3"},
	{name: "final all", config: "Match final all\n User b"},
	{name: "not final", config: "Match !final\n User b\nMatch final\n Port 5"},
	{name: "final in a block that does not count", config: "Host x\nInclude $D/inc\nHost real\n Port 9\nHost db1\n HostName real", more: map[string]string{"inc": "Match final\n User b"}},
	{name: "canonical alone", config: "Match canonical\n User b"},
	{name: "canonical with final", config: "Match final\n Port 6\nMatch canonical\n User b"},
	{name: "final with a bad token", config: "HostName %h%h\nMatch final host db1db1\n Port 3"},
	{name: "include", config: "Include $D/inc\nUser b", more: map[string]string{"inc": "User a\nHost x\n Port 7"}},
	{name: "include of several", config: "Include $D/inc1 $D/inc2\nPort 8", more: map[string]string{"inc1": "Host x", "inc2": "User a"}},
	{name: "include by pattern", config: "Include $D/*.conf", more: map[string]string{"b.conf": "User b", "a.conf": "User a"}},
	{name: "include of nothing", config: "Include $D/none*\nUser a"},
	{name: "include from home", config: "Include $R.conf\nInclude ~/.ssh/$R.more", more: map[string]string{"~/.ssh/$R.conf": "User a", "~/.ssh/$R.more": "Port 7"}},
	{name: "include in Host", config: "Host x\n Include $D/inc\nHost db1\n Include $D/inc2\n Port 3", more: map[string]string{"inc": "User a", "inc2": "Host *\n User b\nHost y\n User c"}},
	{name: "include in Match", config: "Match host x\n Include $D/inc\nMatch host db1\n Include $D/inc\nUser b", more: map[string]string{"inc": "Match all\n User a"}},
	{name: "include where nothing counts", config: "Host x\n Include $D/inc\n", more: map[string]string{"inc": "Host db1\n User a\nInclude $D/inc2", "inc2": "Match all\n User b"}},
	{name: "include of itself", config: "Include $D/config", fails: true},
	{name: "mistake in what is included for others", config: "Host x\n Include $D/inc", more: map[string]string{"inc": "Port x"}, fails: true},
	{name: "algorithms and the rest pass", config: "Ciphers aes128-ctr\nMACs +hmac-sha1\nKexAlgorithms ^curve25519-sha256\nHostKeyAlgorithms -ssh-rsa\nCompression yes\nControlMaster auto\nSendEnv LC_*\nLocalForward 1 x:2"},
	{name: "old names", config: "PubkeyAcceptedKeyTypes ssh-ed25519\nChallengeResponseAuthentication no\nIdentityFile2 x\nUseRoaming no\nProtocol 2"},
	{name: "the rest of the table", config: "BindAddress 127.0.0.1\nAddressFamily inet6\nRequiredRSASize 2048\nRevokedHostKeys /a/b\nRevokedHostKeys /c\nServerAliveInterval 15\nHostKeyAlias ABC"},
}

// TestLabIdentityFiles: ssh -G shows the names of keys and proxies before tokens are replaced, ssh -v what is opened.
func TestLabIdentityFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	write(t, file, strings.ReplaceAll("User u\nHostName real\nIdentityFile ~/k/%h-%n-%r-%p\nIdentityFile ${DSPLAY_T}/%k/%%/%i\nProxyCommand echo %h/%n/%p/%r/%k > $D/out\n", "$D", dir))
	t.Setenv("DSPLAY_T", "/var/t")
	out, err := exec.Command("ssh", "-v", "-F", file, "-o", "BatchMode=yes", "db1").CombinedOutput()
	if err == nil || len(out) == 0 {
		t.Fatal("it connected, or there is no openssh-client: ", err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load(me.HomeDir, file)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := f.Resolve(t.Context(), Query{Host: "db1"})
	if err != nil || len(o.IdentityFiles) != 2 {
		t.Fatal(o, err)
	}
	for _, key := range o.IdentityFiles {
		if !strings.Contains(string(out), "identity file "+key+" type") {
			t.Errorf("we would read %s; ssh says\n%s", key, out)
		}
	}
	if !strings.Contains(string(out), "Executing proxy command: exec "+o.ProxyCommand+"\r\n") {
		t.Errorf("we would run %q; ssh says\n%s", o.ProxyCommand, out)
	}
}

// TestLabSystemFile: it comes after the user's, and what it includes is in its own folder. Both run in a mount namespace.
func TestLabSystemFile(t *testing.T) {
	me, err := user.Current()
	if err != nil || me.Uid != "0" {
		t.Fatal("the lab needs root")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"home/config": "Host db1\n User a\n Include more\n", "home/more": "Port 7\n", "etc/ssh_config": "User b\nInclude more\nIdentityFile y\n",
		"etc/more": "HostKeyAlias sys\nPort 8\n", "home/other": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), text)
	}
	inside := exec.Command("unshare", "-m", "sh", "-c", `mkdir -p "$2/.ssh" && mount --bind "$1/home" "$2/.ssh" && mount --bind "$1/etc" /etc/ssh && exec ssh -G db1`, "sh", dir, me.HomeDir)
	out, err := inside.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// Here the folders are elsewhere: home for ~, and etc by absolute names.
	home := filepath.Join(dir, "h")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "home"), filepath.Join(home, ".ssh")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "etc", "ssh_config"), "User b\nInclude "+dir+"/etc/more\nIdentityFile y\n")
	f, err := Load(home, "~/.ssh/config")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.roots) != 2 || f.roots[1].path != SystemFile() || f.roots[1].user {
		t.Fatalf("roots %+v", f.roots)
	}
	f.roots[1].path = filepath.Join(dir, "etc", "ssh_config")
	o, _, err := f.Resolve(t.Context(), Query{Host: "db1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"user " + o.User, "port " + strconv.Itoa(o.Port), "hostkeyalias " + o.HostKeyAlias, "identityfile " + o.IdentityFiles[0]} {
		if !strings.Contains("\n"+string(out), "\n"+line+"\n") {
			t.Errorf("we say %q, ssh\n%s", line, out)
		}
	}
}

// TestLabConfigRandom makes configurations of what could be in one, and asks both. A failure shows the whole of it.
func TestLabConfigRandom(t *testing.T) {
	seed := uint64(os.Getpid())
	if text := os.Getenv("DSPLAY_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("DSPLAY_SEED=%d", seed)
	failed := 0
	for i := range 400 {
		g := generator{rand.New(rand.NewPCG(seed, uint64(i)))}
		a := g.asked()
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range a.more {
				write(t, filepath.Join(dir, name), strings.ReplaceAll(text, "$D", dir))
			}
			file := filepath.Join(dir, "config")
			write(t, file, strings.ReplaceAll(a.config, "$D", dir))
			want, theirs := openssh(t, file, a)
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			var got told
			f, mine := Load(home, file)
			if mine == nil {
				got, mine = ours(t, f, a)
			}
			if (theirs != nil) != (mine != nil) {
				t.Fatalf("%+v\nssh: %v\nwe: %v", a, theirs, mine)
			}
			if theirs == nil {
				differ(t, a, want, got)
			}
			if theirs != nil {
				failed++
			}
		})
	}
	if failed > 100 {
		t.Errorf("%d of 400 were refused by both: too few say something", failed)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// generator makes configurations.
type generator struct{ *rand.Rand }

func (g generator) of(words ...string) string { return words[g.IntN(len(words))] }

func (g generator) asked() asked {
	a := asked{host: g.of("db1", "web", "DB1", "db1.example", "10.0.0.7", "a"), more: map[string]string{}}
	if g.IntN(6) == 0 {
		a.user = g.of("ops", "root")
	}
	if g.IntN(6) == 0 {
		a.port = 1 + g.IntN(9000)
	}
	for _, name := range []string{"one", "two.conf", "three.conf"} {
		a.more[name] = g.text(4, name == "one")
	}
	a.config = g.text(12, true)
	return a
}

func (g generator) text(n int, includes bool) string {
	var b strings.Builder
	for range 1 + g.IntN(n) {
		switch k := g.IntN(20); {
		case k < 5:
			b.WriteString(g.of("Host ", "host=", "  Host\t"))
			for range 1 + g.IntN(3) {
				b.WriteString(g.of("", "", "", "!") + g.pattern() + " ")
			}
		case k < 9:
			b.WriteString("Match ")
			for range 1 + g.IntN(2) {
				b.WriteString(g.of("", "", "!") + g.criterion() + " ")
			}
		case k == 9 && includes:
			b.WriteString("Include " + g.of("$D/two.conf", "$D/*.conf", "$D/none", "$D/t*.conf"))
		default:
			b.WriteString(g.directive())
		}
		b.WriteString(g.of("", "", " ", "\r", " # comment") + "\n")
	}
	text := b.String()
	for _, raw := range []string{"ProxyCommand", "ProxyJump"} { // a comment belongs to the first, and confuses ssh in the second
		if strings.Contains(text, raw) {
			text = strings.ReplaceAll(text, " # comment", "")
		}
	}
	return text
}

func (g generator) pattern() string {
	return g.of("*", "db*", "db1", "web", "?b1", "*.example", "10.0.0.*", "real", "\"db1\"", "DB1", "a", "real.corp", "x?y*")
}

func (g generator) criterion() string {
	list := g.of("", "!") + g.pattern() + g.of("", ","+g.pattern(), ",!"+g.pattern())
	list = strings.ReplaceAll(list, "\"", "")
	switch g.IntN(9) {
	case 0:
		return "host " + list
	case 1:
		return "originalhost " + list
	case 2:
		return "user " + g.of("ops", "root", "r*,!ops", "u?er", "*")
	case 3:
		return "localuser " + g.of("root", "nobody", "*", "r*")
	case 4:
		return "exec " + g.of("true", "false", `"test %h = db1"`, `"test %p = 22"`, `"test %r-%n = root-db1"`)
	case 5, 6:
		return "final"
	case 7:
		return "canonical"
	}
	return g.of("host="+list, "host "+list, "all")
}

func (g generator) directive() string {
	path := g.of("/k/a", "~/k/b", "\"/k/c d\"", "/k/%h-%p", "/k/%r/%n", "%d/%u%%", "/k/%i-%L", "/k/%k", "${HOME}/x", "none")
	switch g.IntN(20) {
	case 0, 1:
		return "HostName " + g.of("real", "REAL.corp", "%h.corp", "10.1.1.1", "%h", "real%%x")
	case 2:
		return "User " + g.of("ops", "root", "\"u ser\"", "u")
	case 3:
		return "Port " + g.of("22", "2222", "65535", "=7")
	case 4, 5:
		return "IdentityFile " + path
	case 6:
		return "CertificateFile " + path
	case 7:
		return "ProxyJump " + g.of("b", "u@b", "b:7", "a,b", "a:1,u@[::1]:2", "none", "ssh://u@h:3", "10.0.0.1")
	case 8:
		return "ProxyCommand " + g.of("nc %h %p", "none", "=x y  z", "ssh -W '[%h]:%p' \"b c\"")
	case 9, 10:
		return "UserKnownHostsFile " + path + g.of("", "", " /k/other")
	case 11:
		return "GlobalKnownHostsFile " + g.of("/g/a", "/g/a /g/b", "none", "~/g", "/g/%h")
	case 12:
		return "HostKeyAlias " + g.of("alias", "Alias2", "\"al ias\"")
	case 13:
		return "IdentitiesOnly " + g.of("yes", "no", "True", "false")
	case 14:
		return "IdentityAgent " + g.of("none", "/a/%r", "~/agent", "SSH_AUTH_SOCK", "$HOME", "${HOME}/s")
	case 15:
		return "StrictHostKeyChecking " + g.of("yes", "no", "off", "ask", "accept-new")
	case 16:
		return "ConnectTimeout " + g.of("5", "1m", "none", "0", "2h3")
	case 17:
		return "ServerAliveInterval " + g.of("5", "1m", "0", "none")
	case 18:
		return g.of("BindAddress 127.0.0.1", "BindAddress ::1", "AddressFamily inet", "AddressFamily any", "HashKnownHosts yes", "RequiredRSASize 2048")
	}
	return g.of("Compression yes", "ControlMaster auto", "SendEnv LC_*", "IgnoreUnknown foo*", "LogLevel QUIET", "Frobnicate 1", "foobar x")
}
