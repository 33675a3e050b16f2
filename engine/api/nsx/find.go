package nsx

import (
	"slices"
	"strings"
)

// Find gives the guest with this instance UUID; without one that with this BIOS UUID; without that the one with this name.
// When several fit, the name chooses. Nobody is guessed: else why says what kept the guest from being found.
//
// On NSX-V only the instance UUID will do, because guests without a tag are not listed: a clone could be overlooked. One
// that has no tag is taken to exist; adding a tag to it fails when it does not.
func (d *Directory) Find(uuid, biosUUID, name string) (g Guest, why string) {
	uuid, biosUUID = strings.ToLower(strings.TrimSpace(uuid)), strings.ToLower(strings.TrimSpace(biosUUID))
	key, fits := "UUID "+uuid, func(g Guest) bool { return g.ID == uuid }
	switch {
	case uuid != "":
	case d.Partial:
		return Guest{}, "NSX-V names guests by their instance UUID, and that is not known"
	case biosUUID != "":
		key, fits = "BIOS UUID "+biosUUID, func(g Guest) bool { return g.BIOSUUID == biosUUID }
	case name != "":
		key, fits = "name "+name, func(g Guest) bool { return g.Name == name }
	default:
		return Guest{}, "neither UUID nor name of the guest is known"
	}
	found := filter(d.guests, fits)
	if len(found) > 1 && name != "" {
		found = filter(found, func(g Guest) bool { return g.Name == name })
	}
	switch {
	case len(found) == 0 && d.Partial:
		return Guest{ID: uuid}, ""
	case len(found) == 1 && found[0].Service:
		return Guest{}, found[0].Name + " is an appliance, not a guest"
	case len(found) == 1:
		return found[0], ""
	}
	return Guest{}, d.ambiguous(key, filter(d.guests, fits))
}

func (d *Directory) ambiguous(key string, found []Guest) string {
	if len(found) == 0 {
		return "NSX has no guest with " + key
	}
	names := make([]string, len(found))
	for i, g := range found {
		names[i] = g.Name + " (" + g.ID + ")"
	}
	return key + " is not unique in NSX: " + strings.Join(names, ", ")
}

func filter(list []Guest, fits func(Guest) bool) (found []Guest) {
	for _, g := range list {
		if fits(g) {
			found = append(found, g)
		}
	}
	return found
}

// Has tells whether the guest had the tag when the directory was read. Letter case counts.
func (g Guest) Has(t Tag) bool { return slices.Contains(g.Tags, t) }
