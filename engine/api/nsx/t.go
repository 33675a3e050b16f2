package nsx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// t is NSX-T 2.4 and later, and NSX 4.
type t struct{ api engine.API }

const (
	machinesPath = "/api/v1/fabric/virtual-machines"
	pageSize     = "1000" // the most that the API gives
)

// login opens a session: a wrong password is then sent once and not with every request. Its header X-XSRF-TOKEN is not
// certain; a manager without sessions is asked with HTTP Basic.
func (n t) login(ctx context.Context) (*login, error) {
	user, password := n.api.Login()
	form := url.Values{"j_username": {user}, "j_password": {password.Reveal()}}
	r := Request{Method: "POST", Path: "/api/session/create", Type: "application/x-www-form-urlencoded", Body: form.Encode()}
	res, body, err := post(ctx, n.api, r, nil)
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed:
		return tried(ctx, n.api, n, Request{Method: "GET", Path: machinesPath + "?page_size=1"})
	case res.StatusCode/100 != 2:
		return nil, refused(r, res, n.refusal(body))
	}
	l := admitted(res, http.Header{})
	for _, c := range res.Cookies() {
		l.header.Add("Cookie", c.Name+"="+c.Value)
	}
	if token := res.Header.Get("X-XSRF-TOKEN"); token != "" {
		l.header.Set("X-XSRF-TOKEN", token)
	}
	l.end = func(ctx context.Context) error {
		_, err := exchange(ctx, n.api, n, Request{Method: "POST", Path: "/api/session/destroy"}, l.header)
		if engine.KindOf(err) == engine.KindAuth || errors.Is(err, errNotFound) {
			return nil // it has expired: nothing is left to end
		}
		return err
	}
	return l, nil
}

func (t) refusal(body []byte) string {
	var said struct {
		Message string `json:"error_message"`
	}
	_ = json.Unmarshal(body, &said) // another shape says nothing
	return said.Message
}

func (n t) get(ctx context.Context, path string, to any) error {
	r := Request{Method: "GET", Path: path}
	body, err := send(ctx, n.api, n, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return unreadable(r, err)
	}
	return nil
}

// list reads all pages of a list.
func list[T any](ctx context.Context, n t, path string, query url.Values) (all []T, err error) {
	seen := map[string]bool{}
	for {
		var page struct {
			Results *[]T   `json:"results"`
			Cursor  string `json:"cursor"`
		}
		at := path
		if len(query) > 0 {
			at += "?" + query.Encode()
		}
		if err := n.get(ctx, at, &page); err != nil {
			return nil, err
		}
		if page.Results == nil {
			return nil, unreadable(Request{Method: "GET", Path: at}, errors.New("it has no results"))
		}
		all = append(all, *page.Results...)
		switch {
		case page.Cursor == "":
			return all, nil
		case seen[page.Cursor]:
			return nil, unreadable(Request{Method: "GET", Path: at}, errors.New("its pages repeat themselves"))
		}
		seen[page.Cursor] = true
		query = withCursor(query, page.Cursor)
	}
}

func withCursor(query url.Values, cursor string) url.Values {
	next := url.Values{}
	for key, value := range query {
		next[key] = value
	}
	next.Set("cursor", cursor)
	return next
}

// machine is a VirtualMachine of the Manager API, or one of the Policy API that a group lists.
type machine struct {
	ExternalID string   `json:"external_id"`
	ID         string   `json:"id"`
	Name       string   `json:"display_name"`
	Type       string   `json:"type"` // REGULAR, EDGE, SERVICE
	ComputeIDs []string `json:"compute_ids"`
	Source     struct {
		Name string `json:"target_display_name"`
	} `json:"source"`
	Tags []struct {
		Scope string `json:"scope"`
		Tag   string `json:"tag"`
	} `json:"tags"`
}

// computeID gives one of compute_ids: "biosUuid:42…".
func (m machine) computeID(kind string) string {
	for _, id := range m.ComputeIDs {
		if value, ok := strings.CutPrefix(id, kind+":"); ok {
			return value
		}
	}
	return ""
}

func (m machine) guest() Guest {
	g := Guest{ID: strings.ToLower(m.ExternalID), BIOSUUID: strings.ToLower(m.computeID("biosUuid")), Name: m.Name, Service: m.Type == "SERVICE", Host: m.Source.Name}
	for _, tag := range m.Tags {
		g.Tags = append(g.Tags, Tag{tag.Scope, tag.Tag})
	}
	g.Tags = sorted(g.Tags)
	return g
}

func (n t) fetch(ctx context.Context) (*Directory, error) {
	machines, err := list[machine](ctx, n, machinesPath, url.Values{"page_size": {pageSize}})
	if err != nil {
		return nil, err
	}
	d := &Directory{}
	for _, m := range machines {
		d.guests = append(d.guests, m.guest())
	}
	return d, nil
}

func (n t) again(ctx context.Context, g Guest, _ Tag, _ string) (Guest, error) {
	machines, err := list[machine](ctx, n, machinesPath, url.Values{"external_id": {g.ID}})
	for _, m := range machines {
		if now := m.guest(); now.ID == g.ID {
			return now, nil
		}
	}
	if err == nil {
		err = &engine.Error{Kind: engine.KindModule, Op: "find " + cmp.Or(g.Name, g.ID) + " again", Msg: "NSX does not list it any more", Hint: "was the guest removed meanwhile? Look at it in vCenter"}
	}
	return Guest{}, err
}

// adding uses add_tags. Both update_tags and the Policy API's …/realized-state/virtual-machines/ID/tags replace all tags.
func (n t) adding(id string, tag Tag, _ string) Request {
	type one struct {
		Scope string `json:"scope"`
		Tag   string `json:"tag"`
	}
	var body strings.Builder
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // texts always are JSON
		ID   string `json:"external_id"`
		Tags []one  `json:"tags"`
	}{id, []one{{tag.Scope, tag.Name}}})
	return Request{Method: "POST", Path: machinesPath + "?action=add_tags", Type: "application/json", Body: strings.TrimSpace(body.String())}
}

// members asks who is in the group.
func (n t) members(ctx context.Context, group string, g Guest) (known, member bool, err error) {
	path := "/infra/domains/default/groups/" + segment(group)
	if strings.HasPrefix(group, "/") {
		path = (&url.URL{Path: group}).EscapedPath()
	}
	machines, err := list[machine](ctx, n, "/policy/api/v1"+path+"/members/virtual-machines", nil)
	return err == nil, slices.ContainsFunc(machines, func(m machine) bool {
		return slices.Contains([]string{strings.ToLower(m.ExternalID), strings.ToLower(m.ID), strings.ToLower(m.computeID("instanceUuid"))}, g.ID)
	}), err
}
