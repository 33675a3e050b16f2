package dsm

import (
	"regexp"
	"slices"
	"strings"
)

// evidence is what a DSM says of the appliance's protection of one guest, in the words of either API.
// What it says of an agent in the guest is left out: in combined mode that is another engine.
type evidence struct {
	agentless  bool
	asleep     bool     // an enum says that the guest is stopped, paused or in standby
	silent     bool     // an enum says that the DSM cannot reach the appliance
	configured string   // antiMalware.state: on, off or ""
	module     string   // antiMalware.moduleStatus.applianceStatus; "" over SOAP and before DSM 12
	light      string   // computerStatus.applianceStatus; "" over SOAP
	general    []string // texts about the computer
	malware    []string // texts about its anti-malware
	power      string   // the display text of the power state; "" over SOAP
}

// The texts. English ones are quoted from working monitoring plugins and the manuals; of the Japanese ones only
// the first is sourced, the others are translations that are likely.
var (
	engineOffline = regexp.MustCompile(`(?i)anti-?malware engine offline|不正プログラム対策エンジンが?オフライン`)
	// moduleOffline is only for texts about anti-malware: "Engine Offline" of another module is no matter of ours.
	moduleOffline = regexp.MustCompile(`(?i)engine offline|エンジンが?オフライン`)
	// applianceSilent is the DSM's own observation that the appliance does not answer.
	applianceSilent = regexp.MustCompile(`(?i)^(managed \()?offline\)?$|unable to communicate|^(管理対象 ?[(（])?オフライン[)）]?$|通信できません`)
	guestAsleep     = regexp.MustCompile(`(?i)vm (stopped|paused)|standby|suspended|powered off|(仮想マシン|VM)の?(一時)?停止|スタンバイ|サスペンド|(パワー|電源)オフ`)
	moduleOff       = regexp.MustCompile(`(?i)^(anti-malware: *)?off\b|^(不正プログラム対策[:：] *)?オフ($|[^ラ])`)
	unprotected     = regexp.MustCompile(`(?i)unprotected esx|^unprepared|not supported|保護されていないESX|サポートされていません`)
	online          = regexp.MustCompile(`(?i)^managed \(online\)|^(anti-malware: *)?on\b|^管理対象 ?[(（]オンライン|^(不正プログラム対策[:：] *)?オン($|[^ラ])`)
)

// judge decides. The order is the meaning: what explains an offline engine harmlessly (nobody protects the guest,
// it sleeps, anti-malware is switched off) goes before the engine; and nothing counts as online by default.
func (e evidence) judge() State {
	all := append(slices.Clone(e.general), e.malware...)
	switch {
	case !e.agentless:
		return Unsupported
	case e.asleep || guestAsleep.MatchString(e.power) || matches(guestAsleep, e.general) || e.configured == "off":
		return Off
	case e.module == "not-supported":
		return Unsupported
	case e.leftover() != nil:
		return Unknown
	case matches(engineOffline, all) || matches(moduleOffline, e.malware) || matches(applianceSilent, all) || e.silent:
		return Offline
	case matches(moduleOff, e.malware):
		return Off
	case matches(unprotected, all):
		return Unsupported
	}
	return e.byStatus()
}

// leftover are the texts about the computer that call the engine offline although the engine itself reports well; nil: there
// are none.
//
// A DSM goes on showing an error after its cause is gone, until somebody clears it; what it says of the anti-malware alone it is
// likely to say anew with each heartbeat. Which fields of a real DSM contradict each other then is not documented, so such a
// computer is neither online (that could hide an engine that is offline) nor offline (that would make every remedy look vain,
// and have the next one tried on what is well): only clearing the error and waiting for a heartbeat tells. It takes a plain
// word of the engine, and an appliance that the DSM reaches: a mere warning or "On, Engine Offline" make no leftover.
func (e evidence) leftover() []string {
	wrong := slices.ContainsFunc([]*regexp.Regexp{engineOffline, moduleOffline, applianceSilent, moduleOff}, func(p *regexp.Regexp) bool { return matches(p, e.malware) })
	well := e.module == "active" || e.module == "" && e.light == "" && matches(online, e.malware)
	if !well || wrong || e.silent || matches(applianceSilent, e.general) {
		return nil
	}
	var texts []string
	for _, s := range e.general {
		if s = strings.TrimSpace(s); engineOffline.MatchString(s) && !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	return texts
}

// shown is leftover where it is what decides.
func (e evidence) shown() []string {
	if e.judge() != Unknown {
		return nil
	}
	return e.leftover()
}

// byStatus decides by the enums, where the texts said nothing.
func (e evidence) byStatus() State {
	switch {
	case e.module == "error" && e.configured == "on":
		return Offline
	case e.module == "active" || e.module == "warning":
		return Online
	case e.module == "" && (e.light == "active" || e.light == "warning"):
		return Online
	case e.module == "" && e.light == "" && (matches(online, e.general) || matches(online, e.malware)):
		return Online
	}
	return Unknown
}

// messages are all texts, each once.
func (e evidence) messages() []string {
	var out []string
	for _, s := range append(slices.Clone(e.general), e.malware...) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func matches(pattern *regexp.Regexp, texts []string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return pattern.MatchString(strings.TrimSpace(s)) })
}
