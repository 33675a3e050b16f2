package engine

import "time"

// Policy says what may be done while nobody looks: a plan whose whole worst case it permits is applied, any other is left
// for a person.
type Policy struct {
	Name        string
	Description string
	Range       Range
	Places      map[string]Range // of its arguments, by name

	// Playbooks are names of playbook files, with as many of the folders around them as shall count, and hashes of files
	// ("sha256:…").
	Playbooks []string
	Modules   []string       // only these may act
	MaxHosts  map[string]int // group → hosts of it that may be acted on; EveryHost: all together
	Deny      []string       // effects, and the words below
	Window    *Window        // when acting may begin and has to be over; nil: always
	Cooldown  time.Duration  // how long the same action is not done again on a host; 0: no matter
	PerHour   int            // actions begun within an hour, the plan's worst case counted; 0: any number
	Breaker   Breaker
	Require   Require
}

// EveryHost is the name in Policy.MaxHosts for all hosts together.
const EveryHost = "all"

// What a policy can deny besides effects.
const (
	DenyIdentityNone     = "identity_none"     // a host is acted on that does not prove who it is
	DenyUnknownArguments = "unknown_arguments" // an argument of a step is not known while planning
	DenyProbeCommands    = "probe_commands"    // a probe runs a command, script or program of the playbook's author
)

// DeniedUnlessAllowed are denied by every policy that does not allow them.
func DeniedUnlessAllowed() []string {
	return []string{DenyIdentityNone, DenyUnknownArguments, string(EffectWeakens)}
}

// Effects are all effects that modules may declare.
func Effects() []Effect {
	return []Effect{EffectRestart, EffectStop, EffectReboot, EffectNetwork, EffectWeakens, EffectPower, EffectSoftware}
}

// Breaker stops recovering where it did not help. Zero numbers mean: no matter how often.
type Breaker struct {
	Host   int           // recoveries of one recover on one host that failed
	Estate int           // recoveries of one recover that failed, on all hosts together
	Within time.Duration // how far back is looked
}

// Require is what has to be there beside the plan.
type Require struct {
	Approvals      int  // people, other than the planner, who signed the plan
	SignedPlaybook bool // every file of the playbook is in Playbooks by its hash
}

// Deed is one action that was begun, as a journal recorded it before it happened; or one that may be begun at any moment.
type Deed struct {
	Run    string    `json:"run"`
	Ahead  bool      `json:"ahead,omitempty"` // it is in the plan of a run that goes on, which has not begun it
	Time   time.Time `json:"time"`
	Host   string    `json:"host"` // that did it
	Module string    `json:"module"`
	Args   []Arg     `json:"args,omitempty"` // secrets by name; sorted by name
}

// Recovery is how one recover ended on one host.
type Recovery struct {
	Run      string    `json:"run"`
	Time     time.Time `json:"time"`
	Playbook string    `json:"playbook"` // its path, as the run was given it
	Host     string    `json:"host"`
	Entry    string    `json:"entry"` // address of the recover
	Failed   bool      `json:"failed"`
}

// Past is what earlier runs did, and what those that go on may do, as far as their journals tell.
type Past struct {
	Deeds      []Deed
	Recoveries []Recovery
	Underway   map[string]string // hosts that runs which go on act on, or may: how they are reached (plan.Host.Settings) → run
}
