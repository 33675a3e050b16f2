package dsm

// status is how the manager words what it knows of a computer.
type status struct {
	light       string // REST: inactive, active, warning, error, not-supported
	text        string // computerStatus, and SOAP's status
	antiMalware string // moduleStatus, and SOAP's antiMalwareStatus
	state       string // SOAP: ACTIVATED, VM_STOPPED, VM_PAUSED, STANDBY, INSTALLED, NONE
	hostLight   string // SOAP: GREEN, YELLOW, RED, GREY
}

// statusOf words c. A sleeping guest shows the same error as a broken engine: DSM raises offline errors for inactive
// machines, and only SOAP's state (or vCenter) tells them apart.
func (m *Manager) statusOf(c Computer) status {
	online := status{"active", m.say("Managed (Online)", "管理対象 (オンライン)"), m.say("On, Real Time", "オン、リアルタイム"), "ACTIVATED", "GREEN"}
	offline := m.say("Anti-Malware Engine Offline", "不正プログラム対策エンジンがオフライン")
	switch {
	case c.Kind == ESX:
		return status{"active", m.say("Prepared", "準備完了"), "", "NONE", "GREEN"}
	case c.Kind == Appliance && !c.Silent:
		return online
	case c.Power == Off:
		return status{"inactive", m.say("Unmanaged (VM Stopped)", "非管理対象 (仮想マシンの停止)"), m.say("Off", "オフ"), "VM_STOPPED", "GREY"}
	case c.Agentless && c.Outside:
		return status{"inactive", m.say("Unmanaged (Unknown)", "非管理対象 (不明)"), m.say("Off", "オフ"), "NONE", "GREY"}
	case c.Power == Suspended:
		return status{"error", offline, offline, "VM_PAUSED", "RED"}
	case c.Power == Standby:
		return status{"error", offline, offline, "STANDBY", "RED"}
	case c.Silent:
		text := m.say("Offline", "オフライン")
		return status{"error", text, text, "OFFLINE", "RED"}
	case !c.Agentless || c.Online:
		return online
	}
	return status{"error", offline, offline, "ACTIVATED", "RED"}
}

func (m *Manager) say(english, japanese string) string {
	if m.cfg.Japanese {
		return japanese
	}
	return english
}

func (m *Manager) noAgent() string {
	return m.say("Unmanaged (No Agent)", "非管理対象 (Agentなし)")
}

// powerText is the display string of vmwareVMVirtualMachineSummary. Standby stays "Powered On", as in vCenter.
func (m *Manager) powerText(p Power) string {
	switch p {
	case Off:
		return m.say("Powered Off", "パワーオフ")
	case Suspended:
		return m.say("Suspended", "サスペンド")
	}
	return m.say("Powered On", "パワーオン")
}
