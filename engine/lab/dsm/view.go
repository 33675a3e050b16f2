package dsm

import (
	"fmt"
	"strings"
	"time"
)

// computerView is a computer as REST v1 shows it; parts that were not asked for are nil.
type computerView struct {
	HostName                   string        `json:"hostName"`
	DisplayName                string        `json:"displayName"`
	Description                string        `json:"description"`
	LastIPUsed                 *string       `json:"lastIPUsed"`
	Platform                   string        `json:"platform"`
	GroupID                    int           `json:"groupID"`
	PolicyID                   int           `json:"policyID,omitempty"`
	AgentFingerPrint           *string       `json:"agentFingerPrint"`
	ApplianceFingerPrint       *string       `json:"applianceFingerPrint"`
	AgentVersion               string        `json:"agentVersion"`
	HostGUID                   string        `json:"hostGUID"`
	BIOSUUID                   string        `json:"biosUUID,omitempty"`
	LastAgentCommunication     int64         `json:"lastAgentCommunication,omitempty"`
	LastApplianceCommunication int64         `json:"lastApplianceCommunication,omitempty"`
	LastSendPolicyRequest      int64         `json:"lastSendPolicyRequest,omitempty"`
	LastSendPolicySuccess      int64         `json:"lastSendPolicySuccess,omitempty"`
	ID                         int           `json:"ID"`
	ComputerStatus             *statusView   `json:"computerStatus,omitempty"`
	Tasks                      *tasksView    `json:"tasks,omitempty"`
	AntiMalware                *moduleView   `json:"antiMalware,omitempty"`
	ESXSummary                 *esxView      `json:"ESXSummary,omitempty"`
	VMwareVM                   *vmwareVMView `json:"vmwareVMVirtualMachineSummary,omitempty"`
}

type statusView struct {
	AgentStatus             string   `json:"agentStatus"`
	AgentStatusMessages     []string `json:"agentStatusMessages"`
	ApplianceStatus         string   `json:"applianceStatus"`
	ApplianceStatusMessages []string `json:"applianceStatusMessages"`
}

type tasksView struct {
	AgentTasks     []string `json:"agentTasks"`
	ApplianceTasks []string `json:"applianceTasks"`
}

type moduleView struct {
	State        string           `json:"state"`
	ModuleStatus moduleStatusView `json:"moduleStatus"`
}

// moduleStatusView has singular messages where statusView has plural arrays: so does DSM.
type moduleStatusView struct {
	AgentStatus            string `json:"agentStatus"`
	AgentStatusMessage     string `json:"agentStatusMessage"`
	ApplianceStatus        string `json:"applianceStatus"`
	ApplianceStatusMessage string `json:"applianceStatusMessage"`
}

type esxView struct {
	Manufacturer    string `json:"manufacturer"`
	Model           string `json:"model"`
	State           string `json:"state"`
	VirtualMachines string `json:"virtualMachines"`
	VMotionEnabled  string `json:"vMotionEnabled"`
}

type vmwareVMView struct {
	OperatingSystem   string   `json:"operatingSystem"`
	Memory            string   `json:"memory"`
	CPU               string   `json:"CPU"`
	VMwareTools       string   `json:"vmwareTools"`
	BIOSUUID          string   `json:"biosUUID"`
	State             string   `json:"state"`
	IPAddress         string   `json:"IPAddress"`
	DNSName           string   `json:"DNSName"`
	NSXSecurityGroups []string `json:"NSXSecurityGroups"`
}

func (m voice) view(c Computer, expand func(string, ...string) bool) computerView {
	v := computerView{HostName: c.Name, DisplayName: c.Display, Platform: c.Platform, GroupID: 12, ID: c.ID, BIOSUUID: c.BIOSUUID,
		AgentVersion: "0.0.0.0", HostGUID: fmt.Sprintf("00000000-0000-0000-0000-%012X", c.ID)}
	if c.Address != "" {
		v.LastIPUsed = &c.Address
	}
	if c.Kind != ESX {
		v.PolicyID, v.LastSendPolicyRequest, v.LastSendPolicySuccess = 3, millis(c.PolicyAsked), millis(c.PolicySent)
		m.communications(&v, c)
	}
	if expand("computerStatus") {
		v.ComputerStatus = m.statusView(c)
	}
	if expand("tasks") {
		v.Tasks = &tasksView{[]string{}, m.pending(c)}
	}
	if expand("antiMalware", "allSecurityModules") && c.Kind != ESX {
		v.AntiMalware = m.moduleView(c)
	}
	if expand("ESXSummary") && c.Kind == ESX {
		v.ESXSummary = &esxView{"Lab", "Simulated", m.powerText(On), m.guestsOn(c.ID), "true"}
	}
	if expand("vmwareVMVirtualMachineSummary", "allVirtualMachineSummaries") && c.Kind != ESX {
		v.VMwareVM = &vmwareVMView{c.Platform, "4,096 MB", "2 vCPU", "OK", c.BIOSUUID, m.powerText(c.Power), c.Address, c.Name, c.groups()}
	}
	return v
}

// groups are NSX's.
func (c Computer) groups() []string {
	if !c.protected() {
		return []string{}
	}
	return []string{"DS-Protected"}
}

// communications sets what tells agentless guests from those with an agent: who has a fingerprint.
func (m *Manager) communications(v *computerView, c Computer) {
	if c.Agentless && c.Outside {
		return // neither an appliance nor an agent
	}
	print := fingerprint(c.ID)
	at := millis(c.Reported)
	if c.protected() {
		print = fingerprint(c.Appliance)
		v.ApplianceFingerPrint, v.LastApplianceCommunication = &print, at
		return
	}
	v.AgentFingerPrint, v.LastAgentCommunication, v.AgentVersion = &print, at, "20.0.0.8438"
}

func (m voice) statusView(c Computer) *statusView {
	s := m.statusOf(c)
	if c.protected() {
		return &statusView{"inactive", []string{m.noAgent()}, s.light, []string{s.text}}
	}
	return &statusView{s.light, []string{s.text}, "inactive", []string{}}
}

func (m voice) moduleView(c Computer) *moduleView {
	s := m.statusOf(c)
	switch {
	case c.Kind == Appliance:
		off := m.say("Off, not installed, no configuration", "オフ、インストールされていません、設定なし")
		return &moduleView{"off", moduleStatusView{"inactive", off, "inactive", ""}}
	case c.protected():
		return &moduleView{"on", moduleStatusView{"inactive", m.noAgent(), s.module, s.antiMalware}}
	}
	return &moduleView{"on", moduleStatusView{s.module, s.antiMalware, "inactive", ""}}
}

func (m *Manager) guestsOn(esxi int) string {
	n := 0
	for _, c := range m.Computers() {
		if c.Kind == VM && c.ESXi == esxi {
			n++
		}
	}
	return fmt.Sprint(n)
}

func fingerprint(id int) string {
	parts := make([]string, 20)
	for i := range parts {
		parts[i] = fmt.Sprintf("%02X", (id*31+i*17)%256)
	}
	return strings.Join(parts, ":")
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
