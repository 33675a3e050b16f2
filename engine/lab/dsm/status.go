package dsm

// status is how the manager words what it knows of a computer.
type status struct {
	light       string // REST's computerStatus: inactive, active, warning, error, not-supported
	text        string // computerStatus, and SOAP's status
	module      string // REST's moduleStatus: as light
	antiMalware string // its text, and SOAP's antiMalwareStatus
	state       string // SOAP: ACTIVATED, VM_STOPPED, VM_PAUSED, STANDBY, INSTALLED, NONE
	hostLight   string // SOAP: GREEN, YELLOW, RED, GREY
}

// statusOf words c. What the manager says of the computer stays where an error was shown that nobody has cleared, and is well
// where somebody cleared one until the next heartbeat; what it says of the anti-malware is of the last heartbeat.
func (m voice) statusOf(c Computer) status {
	s := m.current(c)
	switch {
	case c.erred && s.module == "active":
		s.light, s.text, s.hostLight = "error", m.engineOffline(), "RED"
	case c.cleared && s.light == "error":
		s.light, s.text, s.hostLight = "active", m.managed(), "GREEN"
	}
	return s
}

func (m voice) engineOffline() string {
	return m.say("Anti-Malware Engine Offline", "不正プログラム対策エンジンがオフライン")
}

func (m voice) managed() string { return m.say("Managed (Online)", "管理対象 (オンライン)") }

// current words c by what is known of it now. A sleeping guest shows the same error as a broken engine: DSM raises offline errors
// for inactive machines, and only SOAP's state (or vCenter) tells them apart.
func (m voice) current(c Computer) status {
	online := status{"active", m.managed(), "active", m.say("On, Real Time", "オン、リアルタイム"), "ACTIVATED", "GREEN"}
	offline := status{"error", m.engineOffline(), "error", m.engineOffline(), "ACTIVATED", "RED"}
	switch {
	case c.Kind == ESX:
		return status{"active", m.say("Prepared", "準備完了"), "", "", "NONE", "GREEN"}
	case c.Kind == Appliance && !c.Silent:
		return online
	case c.Power == Off:
		return status{"inactive", m.say("Unmanaged (VM Stopped)", "非管理対象 (仮想マシンの停止)"), "inactive", m.say("Off", "オフ"), "VM_STOPPED", "GREY"}
	case c.Agentless && c.Outside:
		return status{"inactive", m.say("Unmanaged (Unknown)", "非管理対象 (不明)"), "inactive", m.say("Off", "オフ"), "NONE", "GREY"}
	case c.Power == Suspended:
		offline.state = "VM_PAUSED"
	case c.Power == Standby:
		offline.state = "STANDBY"
	case c.Silent:
		text := m.say("Offline", "オフライン")
		return status{"error", text, "error", text, "OFFLINE", "RED"}
	case !c.Agentless || c.Online:
		return online
	}
	return offline
}

func (m voice) noAgent() string {
	return m.say("Unmanaged (No Agent)", "非管理対象 (Agentなし)")
}

// powerText is the display string of vmwareVMVirtualMachineSummary. Standby stays "Powered On", as in vCenter.
func (m voice) powerText(p Power) string {
	switch p {
	case Off:
		return m.say("Powered Off", "パワーオフ")
	case Suspended:
		return m.say("Suspended", "サスペンド")
	}
	return m.say("Powered On", "パワーオン")
}
