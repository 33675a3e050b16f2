// Package nsx knows how to ask an NSX manager for the tags and groups of guests and for the health of Guest Introspection, and
// how to add a tag: NSX-V (XML; vmware/nsxraml, nsxvapi.raml) and NSX-T or NSX 4 (JSON; its Manager and Policy API), with one
// answer for both.
//
// It never sends a request that replaces or removes tags. A path or a field that is not certain is said to be so where it is used.
package nsx

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Tag is a tag of a guest. NSX-V knows no scope.
type Tag struct{ Scope, Name string }

// String is scope|name, as the user interface of NSX-T shows it, or the name alone.
func (t Tag) String() string {
	if t.Scope == "" {
		return t.Name
	}
	return t.Scope + "|" + t.Name
}

// Guest is a virtual machine as NSX sees it.
type Guest struct {
	ID       string // vCenter's instance UUID, by which requests name it; lower case
	BIOSUUID string // lower case; empty where NSX does not tell
	Ref      string // managed object id in the vCenter: "vm-17"; empty where NSX does not tell
	Name     string
	Service  bool   // it is an appliance (SVM)
	Host     string // name of the ESXi host; only NSX-T tells
	Tags     []Tag  // sorted
}

// Directory is what a manager said of all guests at one moment. It is safe for use by several goroutines.
type Directory struct {
	// Partial says that only guests with a tag are listed: NSX-V has no list of all.
	Partial bool
	guests  []Guest
	ids     map[string][]string // tag name → ids of NSX-V: "securitytag-10"
}

// generation is the API that a manager speaks.
type generation interface {
	fetch(ctx context.Context) (*Directory, error)
	// again reads a guest anew; see Directory.Again.
	again(ctx context.Context, g Guest, t Tag, tagID string) (Guest, error)
	adding(id string, t Tag, tagID string) Request
	members(ctx context.Context, group string, g Guest) (known, member bool, err error)
	deployments(ctx context.Context) (*Deployments, error)
	appliances(ctx context.Context, d *Deployments, h Host) (list []Appliance, why string, err error)
	login(ctx context.Context) (*login, error)
	refusal(body []byte) string
}

func of(api engine.API) (generation, error) {
	switch kind := api.Kind(); kind {
	case "nsx":
		return v{api}, nil
	case "nsxt":
		return t{api}, nil
	case "":
		return nil, &engine.Error{Kind: engine.KindModule, Op: "ask NSX", Msg: "which NSX it is, is not known",
			Hint: `say kind = "nsx" (NSX-V) or "nsxt" (NSX-T, NSX 4) in its connection "https"`}
	default:
		return nil, &engine.Error{Kind: engine.KindModule, Op: "ask NSX", Msg: "the host is of kind " + kind, Hint: "on must name the NSX manager"}
	}
}

// Fetch reads the tags of all guests. NSX-T gives them in pages; NSX-V by one request per tag that somebody has.
func Fetch(ctx context.Context, api engine.API) (*Directory, error) {
	g, err := of(api)
	if err != nil {
		return nil, err
	}
	return g.fetch(ctx)
}

// Greeting is what a login to a manager tells.
type Greeting struct {
	API  string    // "NSX-V" or "NSX-T"
	Time time.Time // the manager's clock, to half a second; zero: it does not say
}

// Hello logs in and does nothing else.
func Hello(ctx context.Context, api engine.API) (Greeting, error) {
	g, err := of(api)
	if err != nil {
		return Greeting{}, err
	}
	l, err := open(ctx, api, g)
	if err != nil {
		return Greeting{}, err
	}
	return Greeting{map[string]string{"nsx": "NSX-V", "nsxt": "NSX-T"}[api.Kind()], l.clock}, nil
}

// tagID is what NSX-V calls a tag. A tag that nobody has defined is never made: its name may be a slip of the pen.
func (d *Directory) tagID(t Tag) (string, error) {
	e := &engine.Error{Kind: engine.KindModule, Op: "find the tag " + t.String()}
	switch ids := d.ids[t.Name]; {
	case !d.Partial:
		return "", nil
	case t.Scope != "":
		e.Msg, e.Hint = "NSX-V knows no scope", "leave scope out"
	case len(ids) == 0:
		e.Msg, e.Hint = "NSX has no security tag of this name", "is its name written as in NSX, letter case included? A tag is not made here"
	case len(ids) > 1:
		e.Msg, e.Hint = fmt.Sprintf("NSX has %d security tags of this name: %s", len(ids), strings.Join(ids, ", ")), "rename one of them"
	default:
		return ids[0], nil
	}
	return "", e
}

// Again is a guest of the directory as it is now, by one request. On NSX-V only t is looked at anew: its other tags are those of
// the directory, because what tells all tags of one guest wants an id of the vCenter.
func (d *Directory) Again(ctx context.Context, api engine.API, guest Guest, t Tag) (Guest, error) {
	g, err := of(api)
	if err != nil {
		return Guest{}, err
	}
	tagID, err := d.tagID(t)
	if err != nil {
		return Guest{}, err
	}
	return g.again(ctx, guest, t, tagID)
}

// Adding is the one request that adds a tag to a guest and leaves its others alone.
func (d *Directory) Adding(api engine.API, id string, t Tag) (Request, error) {
	g, err := of(api)
	if err != nil {
		return Request{}, err
	}
	tagID, err := d.tagID(t)
	if err != nil {
		return Request{}, err
	}
	return g.adding(id, t, tagID), nil
}

// Member tells whether a guest is in a group. known is false where NSX cannot be asked: NSX-V names guests without any tag only
// by an id of the vCenter. group is a name (NSX-V), or an id in the domain default or a path such as
// /infra/domains/default/groups/G (NSX-T).
func Member(ctx context.Context, api engine.API, group string, guest Guest) (known, member bool, err error) {
	g, err := of(api)
	if err != nil {
		return false, false, err
	}
	return g.members(ctx, group, guest)
}

// Do sends a request that Adding made. Adding a tag twice is as good as once, so it is repeated while the manager is busy.
func Do(ctx context.Context, api engine.API, r Request) error {
	g, err := of(api)
	if err != nil {
		return err
	}
	_, err = send(ctx, api, g, r)
	return err
}

// segment makes one part of a path.
func segment(s string) string { return url.PathEscape(s) }

func sorted(tags []Tag) []Tag {
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.String(), b.String()) })
	return tags
}
