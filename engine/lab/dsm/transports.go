package dsm

import (
	"strconv"
	"strings"
)

func (m *Manager) hostRetrieveAll(node) ([]element, *exception) {
	list := []element{}
	for _, c := range m.Computers() {
		list = append(list, hostTransport("hostRetrieveAllReturn", c))
	}
	return list, nil
}

func (m *Manager) hostRetrieveByName(args node) ([]element, *exception) {
	for _, c := range m.Computers() {
		if strings.EqualFold(c.Name, args.value("hostname")) {
			return []element{hostTransport("hostRetrieveByNameReturn", c)}, nil
		}
	}
	return []element{leaf("hostRetrieveByNameReturn", nil)}, nil
}

func (m voice) hostDetailRetrieve(args node) ([]element, *exception) {
	filter, _ := args.child("hostFilter")
	keep := func(Computer) bool { return true }
	switch kind := filter.value("type"); kind {
	case "ALL_HOSTS", "":
	case "SPECIFIC_HOST":
		keep = func(c Computer) bool { return strconv.Itoa(c.ID) == filter.value("hostID") }
	default:
		return nil, &exception{"ManagerValidationException", "This manager does not support the host filter " + kind + "."}
	}
	list := []element{}
	for _, c := range m.Computers() {
		if keep(c) {
			list = append(list, m.hostDetail(c))
		}
	}
	return list, nil
}

func (m voice) hostGetStatus(args node) ([]element, *exception) {
	id, _ := strconv.Atoi(args.value("id"))
	c, ok := m.Computer(id)
	if !ok {
		return nil, &exception{"ManagerValidationException", "There is no host with this ID."}
	}
	c = m.asOfYesterday(c)
	s := m.statusOf(c)
	fields := append(m.place(c),
		leaf("locked", false), leaf("overallAntiMalwareStatus", m.say("Anti-Malware: ", "不正プログラム対策: ")+s.antiMalware),
		leaf("overallLastSuccessfulCommunication", soapTime(c.Reported)), leaf("overallLastSuccessfulUpdate", soapTime(c.PolicySent)), leaf("overallStatus", s.text),
		tree("protectionStatusTransports", m.protection(c)...))
	return []element{tree("hostGetStatusReturn", fields...)}, nil
}

// place says which appliance protects c, and where c runs: the only thing in a DSM that does.
func (m *Manager) place(c Computer) []element {
	esxi, hasESXi := m.Computer(c.ESXi)
	appliance, hasAppliance := m.Computer(c.Appliance)
	fields := []element{leaf("applianceID", 0), leaf("applianceName", nil), leaf("esxServerID", 0), leaf("esxServerName", nil), leaf("esxServerVersion", nil)}
	if hasAppliance && c.protected() {
		fields[0], fields[1] = leaf("applianceID", appliance.ID), leaf("applianceName", appliance.Name)
	}
	if hasESXi {
		fields[2], fields[3], fields[4] = leaf("esxServerID", esxi.ID), leaf("esxServerName", esxi.Name), leaf("esxServerVersion", esxi.Platform)
	}
	return fields
}

// protection is one item per protection: the appliance's, or the agent's.
func (m voice) protection(c Computer) []element {
	if c.Kind == ESX || c.Agentless && c.Outside {
		return []element{}
	}
	s, kind := m.statusOf(c), "AGENT"
	if c.protected() {
		kind = "APPLIANCE"
	}
	return []element{tree("item",
		leaf("antiMalwareStatus", s.antiMalware), leaf("fingerprint", fingerprint(c.ID)),
		leaf("lastSuccessfulCommunication", soapTime(c.Reported)), leaf("lastSuccessfulUpdate", nil),
		leaf("protectionType", kind), leaf("state", s.state), leaf("stateDescription", s.text), leaf("status", s.text),
		leaf("version", "20.0.0.8438"))}
}

func (m voice) hostDetail(c Computer) element {
	s := m.statusOf(c)
	e := hostTransport("hostDetailRetrieveReturn", c)
	e.children = append(e.children,
		leaf("hostLight", s.hostLight), leaf("lastIPUsed", c.Address), leaf("locked", false),
		leaf("overallAntiMalwareStatus", m.say("Anti-Malware: ", "不正プログラム対策: ")+s.antiMalware),
		leaf("overallLastSuccessfulCommunication", soapTime(c.Reported)), leaf("overallStatus", s.text),
		leaf("overallVersion", "20.0.0.8438"), leaf("securityProfileName", nil),
		leaf("virtualName", c.Display), leaf("virtualUuid", c.BIOSUUID))
	return e
}

// hostTransport: externalID is the BIOS UUID of a virtual machine here; what it is in a real DSM is not sourced.
func hostTransport(name string, c Computer) element {
	return tree(name, leaf("ID", c.ID), leaf("description", ""), leaf("name", c.Name), leaf("displayName", c.Display),
		leaf("external", true), leaf("externalID", c.BIOSUUID), leaf("hostGroupID", 12), leaf("hostType", string(c.Kind)),
		leaf("platform", c.Platform), leaf("securityProfileID", 3))
}
