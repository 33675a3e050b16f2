package rehearse

import (
	"testing"

	"github.com/dsplay/dsplay/engine"
)

func TestStepsWithOneNameAreToldApart(t *testing.T) {
	step := func(name, address string) *engine.Entry {
		return &engine.Entry{Kind: engine.EntryStep, Name: name, Address: address}
	}
	s := newStory(&engine.Playbook{Items: []engine.Item{
		{Play: &engine.Play{Entries: []*engine.Entry{step("one", "a/step.one"), step("two", "a/step.two")}}},
		{Play: &engine.Play{Entries: []*engine.Entry{{Kind: engine.EntryRecover, Recover: &engine.Recover{
			Attempts: []*engine.Attempt{{Entries: []*engine.Entry{step("one", "b/r/try/step.one")}}}}}}}},
		{Play: &engine.Play{Entries: []*engine.Entry{{Kind: engine.EntryBlock, Block: &engine.Block{
			Entries: []*engine.Entry{{Kind: engine.EntryInclude, Include: &engine.Include{Entries: []*engine.Entry{step("inner", "c/include.i/step.inner")}}}},
			Rescue:  []*engine.Entry{step("back", "c/step.back")}, Finally: []*engine.Entry{step("one", "c/step.one")}}}}}},
	}}, nil)
	for _, tt := range []struct{ entry, item, host, on, want string }{
		{"a/step.one", "", "h", "", "a/step.one on h"},
		{"b/r/try/step.one", "", "h", "h", "b/r/try/step.one on h"},
		{"a/step.two", "k", "h", "d", "two[k] on d for h"},
		{"c/include.i/step.inner", "", "h", "", "inner on h"},
		{"c/step.back", "", "h", "", "back on h"},
		{"c/step.one", "x", "h", "", "c/step.one[x] on h"},
	} {
		if got := s.label(tt.entry, tt.item, tt.host, tt.on); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
