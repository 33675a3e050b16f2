package nsx

import (
	"context"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// v is NSX-V.
type v struct{ api engine.API }

const tagsPath = "/api/2.0/services/securitytags/tag"

// login has no session to open: that the list of tags is given shows that the credentials are right.
func (n v) login(ctx context.Context) (*login, error) {
	return tried(ctx, n.api, n, Request{Method: "GET", Path: tagsPath})
}

func (v) refusal(body []byte) string {
	var said struct {
		Details string `xml:"details"`
	}
	_ = xml.Unmarshal(body, &said) // another shape says nothing
	return strings.TrimSpace(said.Details)
}

func (n v) get(ctx context.Context, path string, to any) error {
	r := Request{Method: "GET", Path: path}
	body, err := send(ctx, n.api, n, r)
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(body, to); err != nil {
		return unreadable(r, err)
	}
	return nil
}

// fetch asks who has each tag: one request per tag, and none per guest.
func (n v) fetch(ctx context.Context) (*Directory, error) {
	var list struct {
		XMLName xml.Name `xml:"securityTags"`
		Tags    []struct {
			ID    string `xml:"objectId"`
			Name  string `xml:"name"`
			Count *int   `xml:"vmCount"`
		} `xml:"securityTag"`
	}
	if err := n.get(ctx, tagsPath, &list); err != nil {
		return nil, err
	}
	d := &Directory{Partial: true, ids: map[string][]string{}}
	guests := map[string]*Guest{}
	for _, tag := range list.Tags {
		d.ids[tag.Name] = append(d.ids[tag.Name], tag.ID)
		if tag.Count != nil && *tag.Count == 0 {
			continue
		}
		attached, err := n.attached(ctx, tag.ID)
		if err != nil {
			return nil, err
		}
		for _, g := range attached {
			if guests[g.ID] == nil {
				guests[g.ID] = &g
			}
			guests[g.ID].Tags = append(guests[g.ID].Tags, Tag{Name: tag.Name})
		}
	}
	for _, g := range guests {
		g.Tags = sorted(g.Tags)
		d.guests = append(d.guests, *g)
	}
	slices.SortFunc(d.guests, func(a, b Guest) int { return strings.Compare(a.ID, b.ID) })
	return d, nil
}

// attached are the guests with a tag (NSX 6.3 and later).
func (n v) attached(ctx context.Context, tagID string) (guests []Guest, err error) {
	var list struct {
		XMLName xml.Name `xml:"attachedVMList"`
		VMs     []struct {
			Ref      string `xml:"objectId"`
			Name     string `xml:"name"`
			Instance string `xml:"instanceUUID"`
			BIOS     string `xml:"biosUUID"`
		} `xml:"attachedVM"`
	}
	if err := n.get(ctx, tagsPath+"/"+segment(tagID)+"/vmDetail", &list); err != nil {
		return nil, err
	}
	for _, vm := range list.VMs {
		guests = append(guests, Guest{ID: strings.ToLower(vm.Instance), BIOSUUID: strings.ToLower(vm.BIOS), Ref: vm.Ref, Name: vm.Name})
	}
	return guests, nil
}

func (n v) again(ctx context.Context, g Guest, tag Tag, tagID string) (Guest, error) {
	attached, err := n.attached(ctx, tagID)
	if err != nil {
		return Guest{}, err
	}
	g.Tags = slices.DeleteFunc(slices.Clone(g.Tags), func(t Tag) bool { return t == tag })
	for _, now := range attached {
		if now.ID == g.ID {
			now.Tags = sorted(append(g.Tags, tag))
			return now, nil
		}
	}
	return g, nil
}

// adding attaches by the instance UUID. By BIOS UUID (POST …/vm?action=attach) it would mean every clone.
func (n v) adding(id string, _ Tag, tagID string) Request {
	return Request{Method: "PUT", Path: tagsPath + "/" + segment(tagID) + "/vm/" + segment(id)}
}

// members asks for the groups of the guest. The list stands in one of the same name.
func (n v) members(ctx context.Context, group string, g Guest) (known, member bool, err error) {
	if g.Ref == "" {
		return false, false, nil
	}
	var list struct {
		XMLName xml.Name `xml:"securityGroups"`
		Names   []string `xml:"securityGroups>securitygroup>name"`
		Flat    []string `xml:"securitygroup>name"`
	}
	err = n.get(ctx, "/api/2.0/services/securitygroup/lookup/virtualmachine/"+segment(g.Ref), &list)
	return err == nil, slices.Contains(append(list.Names, list.Flat...), group), err
}
