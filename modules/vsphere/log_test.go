package vsphere_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// logCase is one file in testdata/log: the vmware.log of machine guest1, and what the module makes of it. {-5m} in a line or in
// a wanted text is the time five minutes ago. What changes something fails it.
type logCase struct {
	Why     string         `json:"why"`
	Args    map[string]any `json:"args"`
	Log     []string       `json:"log"`
	Hidden  bool           `json:"hidden"` // the user may not read files
	Result  map[string]any `json:"result"`
	Invalid string         `json:"invalid"`
}

func TestLogCases(t *testing.T) {
	var log []string
	v := oneGuest(t, vcenter.Config{
		Log: func(string) string { return strings.Join(log, "\n") },
		Record: func(_, text string, mutates bool) {
			if mutates {
				t.Errorf("it changed something: %s", text)
			}
		}})
	moduletest.Each(t, "testdata/log/*.json", 8, func(t *testing.T, c *logCase) {
		log = c.Log
		c.run(t, v)
	}, times)
}

// times puts times into a text.
func times(text string) string {
	now := time.Now().UTC()
	for _, ago := range []string{"1m", "5m", "30m", "2h"} {
		d, _ := time.ParseDuration(ago) // those above can be read
		text = strings.ReplaceAll(text, "{-"+ago+"}", now.Add(-d).Format("2006-01-02T15:04:05Z"))
	}
	return text
}

func (c *logCase) run(t *testing.T, v *vcenter.VCenter) {
	module := moduletest.New(t, vsphere.Log(), c.Args)
	if err := module.(engine.Validator).Validate(); err != nil || c.Invalid != "" {
		var bad engine.BadArg
		if !errors.As(err, &bad) || bad.Arg != c.Invalid {
			t.Errorf("Validate: %v, want a BadArg for %q", err, c.Invalid)
		}
		return
	}
	v.HideFiles(c.Hidden)
	result, err := module.(engine.Prober).Probe(t.Context(), open(t, v))
	if err != nil {
		t.Fatal(err)
	}
	moduletest.Compare(t, vsphere.Log(), result, c.Result)
}
