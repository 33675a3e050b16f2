package kerberos

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ciphers are what is asked for and taken, best first. RC4 and DES are not among them.
var ciphers = []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128}

// keyBytes are the lengths of their keys.
var keyBytes = map[int32]int{etypeID.AES256_CTS_HMAC_SHA1_96: 32, etypeID.AES128_CTS_HMAC_SHA1_96: 16, etypeID.AES256_CTS_HMAC_SHA384_192: 32, etypeID.AES128_CTS_HMAC_SHA256_128: 16}

// credential is what a login is proved with: a secret from which keys come, or (cache) tickets.
type credential struct {
	name     types.PrincipalName
	home     string // realm
	password engine.Secret
	keytab   *keytab.Keytab // nil: password
	cache    string         // file; "": there is a secret
	file     string         // of the keytab
}

func (c *credential) realm() string { return c.home }

func (c *credential) String() string { return c.name.PrincipalNameString() + "@" + c.home }

func newCredential(l Login, conf *config.Config) (credential, error) {
	switch {
	case l.Keytab != "":
		return fromKeytab(l, conf)
	case !l.Password.IsZero():
		name, realm, err := principal(l, conf)
		return credential{name: name, home: realm, password: l.Password}, err
	}
	return fromCache(l, conf)
}

// principal reads the forms of a user's name.
func principal(l Login, conf *config.Config) (types.PrincipalName, string, error) {
	name, realm := l.User, l.Realm
	if domain, rest, found := strings.Cut(name, `\`); found {
		name = rest
		if realm == "" && strings.Contains(domain, ".") { // CORP.EXAMPLE\name; a NetBIOS domain is not a realm
			realm = strings.ToUpper(domain)
		}
	}
	if short, suffix, found := strings.Cut(name, "@"); found {
		switch {
		case realm == "":
			name, realm = short, realmOf(suffix, conf)
		case strings.EqualFold(realm, suffix):
			name = short
		default: // a UPN: the KDC knows whose it is (RFC 6806, 5)
			return types.PrincipalName{NameType: enterprise, NameString: []string{name}}, realm, nil
		}
	}
	if realm == "" {
		realm = conf.LibDefaults.DefaultRealm
	}
	if realm == "" {
		return types.PrincipalName{}, "", &Failure{Kind: engine.KindModule, Msg: "the Kerberos realm of user " + l.User + " is not known",
			Hint: `set realm = "CORP.EXAMPLE" (the DNS name of the domain in capitals), or user = "name@CORP.EXAMPLE"`}
	}
	if name == "" {
		return types.PrincipalName{}, "", &Failure{Kind: engine.KindModule, Msg: "user is missing", Hint: `set user = "name@CORP.EXAMPLE"`}
	}
	return types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), realm, nil
}

// enterprise is the type of a name that looks like an address (RFC 6806, 5).
const enterprise = 10

// realmOf turns a suffix into a realm: realms are in capitals by custom, and Windows' always are.
func realmOf(suffix string, conf *config.Config) string {
	if conf.LibDefaults.DefaultRealm == suffix || slices.ContainsFunc(conf.Realms, func(r config.Realm) bool { return r.Realm == suffix }) {
		return suffix
	}
	return strings.ToUpper(suffix)
}

// guarded turns the panic of a parser that trusts its input into an error: gokrb5 reads files without checking lengths.
func guarded(read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("it is damaged")
		}
	}()
	return read()
}

func fromKeytab(l Login, conf *config.Config) (c credential, err error) {
	var table *keytab.Keytab
	if err := guarded(func() (err error) { table, err = keytab.Load(l.Keytab); return err }); err != nil {
		return c, &Failure{Kind: engine.KindModule, Msg: "keytab " + l.Keytab + " cannot be read", Err: err, Hint: "make one with ktutil, or with ktpass on Windows"}
	}
	var names []string
	for _, e := range table.Entries {
		if n := strings.Join(e.Principal.Components, "/") + "@" + e.Principal.Realm; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if l.User == "" && len(names) == 1 {
		l.User = names[0]
		l.Realm = ""
		name, realm, _ := strings.Cut(l.User, "@")
		return credential{name: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), home: realm, keytab: table, file: l.Keytab}, nil
	}
	c = credential{keytab: table, file: l.Keytab}
	if l.User == "" {
		return c, &Failure{Kind: engine.KindModule, Msg: "keytab " + l.Keytab + " has keys of several principals", Hint: "set user to one of " + strings.Join(names, ", ")}
	}
	if c.name, c.home, err = principal(l, conf); err != nil {
		return c, err
	}
	if len(c.keyCiphers()) == 0 {
		hint := "it has keys of " + strings.Join(names, ", ")
		if slices.Contains(names, c.String()) {
			hint = "its keys are RC4 or DES only: make it anew with AES (ktpass /crypto AES256-SHA1, or ktutil addent -e aes256-cts-hmac-sha1-96)"
		}
		return c, &Failure{Kind: engine.KindModule, Msg: "keytab " + l.Keytab + " has no AES key of " + c.String(), Hint: hint}
	}
	return c, nil
}

// keyCiphers are the ciphers for which there is a key; with a password, all.
func (c *credential) keyCiphers() []int32 {
	if c.keytab == nil {
		return ciphers
	}
	var found []int32
	for _, id := range ciphers {
		if _, _, ok := c.fromTable(id); ok {
			found = append(found, id)
		}
	}
	return found
}

// fromTable gives the newest key; its version, as the file says, is for the person who reads of it.
func (c *credential) fromTable(cipher int32) (key types.EncryptionKey, version uint32, found bool) {
	for _, e := range c.keytab.Entries {
		if e.Key.KeyType == cipher && e.Principal.Realm == c.home && slices.Equal(e.Principal.Components, c.name.NameString) && (!found || e.KVNO >= version) {
			key, version, found = e.Key, e.KVNO, true
		}
	}
	return key, version, found
}

// mostRounds and leastRounds bound what a forged answer can make of deriving a key: too many take our time, too few make
// the password easy to guess from the proof that follows. Windows and MIT ask for 4,096 rounds (RFC 3962, 4).
const mostRounds, leastRounds = 1 << 20, 4096

// key derives or finds the key for what a KDC says of it. info may be nil.
func (c *credential) key(info *types.ETypeInfo2Entry, cipher int32) (types.EncryptionKey, error) {
	if c.keytab != nil {
		key, _, found := c.fromTable(cipher)
		if !found {
			return key, fmt.Errorf("the keytab has no key of cipher %d", cipher)
		}
		return key, nil
	}
	et, err := crypto.GetEtype(cipher)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	salt, params := c.name.GetSalt(c.home), et.GetDefaultStringToKeyParams()
	if info != nil {
		if info.Salt != "" {
			salt = info.Salt
		}
		if p := info.S2KParams; len(p) == 4 {
			if rounds := int(p[0])<<24 | int(p[1])<<16 | int(p[2])<<8 | int(p[3]); rounds < leastRounds || rounds > mostRounds {
				return types.EncryptionKey{}, fmt.Errorf("the KDC asks for %d rounds", rounds)
			}
			params = hex.EncodeToString(p)
		}
	}
	value, err := et.StringToKey(c.password.Reveal(), salt, params)
	return types.EncryptionKey{KeyType: cipher, KeyValue: value}, err
}

// fromCache takes the principal of a ticket cache; its tickets are read when they are needed.
func fromCache(l Login, conf *config.Config) (credential, error) {
	file := l.CCache
	if file == "" {
		file = os.Getenv("KRB5CCNAME")
	}
	if file == "" {
		file = fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid())
	}
	if kind, rest, found := strings.Cut(file, ":"); found && !strings.HasPrefix(file, "/") && len(kind) > 1 {
		if kind != "FILE" {
			return credential{}, &Failure{Kind: engine.KindModule, Msg: "ticket cache " + file + " is of kind " + kind + ", which only programs of that system can read",
				Hint: "kinit -c FILE:/path, and ccache = \"/path\"; or use a keytab"}
		}
		file = rest
	}
	cache, err := loadCache(file)
	if err != nil {
		return credential{}, err
	}
	c := credential{cache: file, name: cache.DefaultPrincipal.PrincipalName, home: cache.DefaultPrincipal.Realm}
	if l.User != "" {
		name, realm, err := principal(l, conf)
		if err == nil && name.NameType != enterprise && (!strings.EqualFold(realm, c.home) || !strings.EqualFold(name.PrincipalNameString(), c.name.PrincipalNameString())) {
			return c, &Failure{Kind: engine.KindModule, Msg: "ticket cache " + file + " is of " + c.String() + ", not of user " + l.User, Hint: "kinit " + l.User + ", or name another ccache"}
		}
	}
	return c, nil
}

func loadCache(file string) (*credentials.CCache, error) {
	var cache *credentials.CCache
	err := guarded(func() (err error) { cache, err = credentials.LoadCCache(file); return err })
	if err == nil && (cache.DefaultPrincipal.Realm == "" || len(cache.DefaultPrincipal.PrincipalName.NameString) == 0) {
		err = errors.New("it is damaged")
	}
	if err != nil {
		return nil, &Failure{Kind: engine.KindModule, Msg: "ticket cache " + file + " cannot be read", Err: err,
			Hint: "there is neither password nor keytab: kinit user@REALM, or set one of password, keytab, ccache"}
	}
	return cache, nil
}
