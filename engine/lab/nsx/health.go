package nsx

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// What the service is called that Deep Security registers.
const (
	serviceName = "Trend Micro Deep Security"
	serviceID   = "service-dsva"
	instanceID  = "instance-cluster1"
	instances   = "/api/v1/serviceinsertion/services/" + serviceID + "/service-instances"
)

// routesHealthT: one service, deployed on one cluster, with one runtime (an appliance) per host. The path of the health of a
// runtime is not certain.
func (m *Manager) routesHealthT(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/serviceinsertion/services", func(w http.ResponseWriter, r *http.Request) {
		m.page(w, r, []object{{"id": serviceID, "display_name": serviceName, "functionalities": []string{"EPP"}}})
	})
	mux.HandleFunc("GET "+instances, func(w http.ResponseWriter, r *http.Request) {
		m.page(w, r, []object{{"id": instanceID, "display_name": "cluster1", "service_id": serviceID, "resource_type": "ServiceInstance"}})
	})
	mux.HandleFunc("GET "+instances+"/"+instanceID+"/instance-runtimes", func(w http.ResponseWriter, r *http.Request) {
		var list []object
		for _, h := range m.cfg.Hosts {
			status, deployment := "RUNNING", "DEPLOYMENT_SUCCESSFUL"
			if !m.cfg.Health(h.Name).Deployed {
				status = "STOPPED"
			}
			list = append(list, object{"id": runtimeID(h), "service_instance_id": instanceID, "service_vm_id": h.SVM, "runtime_status": status, "deployment_status": deployment})
		}
		m.page(w, r, list)
	})
	mux.HandleFunc("GET "+instances+"/"+instanceID+"/instance-runtimes/{runtime}/health-status", func(w http.ResponseWriter, r *http.Request) {
		for _, h := range m.cfg.Hosts {
			if runtimeID(h) == r.PathValue("runtime") {
				writeJSON(w, http.StatusOK, healthT(m.cfg.Health(h.Name)))
				return
			}
		}
		m.refuse(w, http.StatusNotFound, 600, "The requested object : "+r.PathValue("runtime")+" could not be found.")
	})
}

func runtimeID(h Host) string { return "runtime-" + h.Ref }

// healthT is a ServiceInstanceHealthStatus. Of an appliance that is off nothing new is heard.
func healthT(h Health) object {
	now := time.Now()
	if !h.Deployed {
		now = now.Add(-time.Hour)
	}
	stamp := now.UTC().Format(time.RFC3339)
	return object{"solution_status": up(h.Solution), "mux_connected_status": up(h.Mux), "connect_timestamp": stamp, "sync_time": stamp,
		"is_stale": !h.Deployed, "is_sva_mux_incompatible": false, "solution_version": "20.0.0.8438"}
}

func up(well bool) string {
	if well {
		return "UP"
	}
	return "DOWN"
}

// xmlAgent is an appliance of NSX-V: the mapping of ESXi host to SVM.
type xmlAgent struct {
	XMLName     xml.Name `xml:"agent"`
	ID          string   `xml:"agentId"`
	Name        string   `xml:"agentName"`
	ServiceID   string   `xml:"serviceId"`
	ServiceName string   `xml:"serviceName"`
	Operational string   `xml:"operationalStatus"`
	Progress    string   `xml:"progressStatus"`
	VM          string   `xml:"vmId"`
	Host        string   `xml:"host"`
	Status      string   `xml:"serviceStatus>status"`
	ErrorID     string   `xml:"serviceStatus>errorId"`
	Error       string   `xml:"serviceStatus>errorDescription"`
}

func (m *Manager) routesHealthV(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/2.0/si/host/{host}/agents", func(w http.ResponseWriter, r *http.Request) {
		var list struct {
			XMLName xml.Name `xml:"fabricAgents"`
			Agents  []xmlAgent
		}
		for _, h := range m.cfg.Hosts {
			if h.Ref == r.PathValue("host") {
				list.Agents = append(list.Agents, m.agent(h))
			}
		}
		if list.Agents == nil {
			m.missing(w, r.PathValue("host"))
			return
		}
		writeXML(w, http.StatusOK, list)
	})
}

func (m *Manager) agent(h Host) xmlAgent {
	a := xmlAgent{ID: "nsxmgragent-" + strings.TrimPrefix(h.Ref, "host-"), Name: serviceName, ServiceID: "service-10", ServiceName: serviceName,
		Operational: "ENABLED", Progress: "SUCCEEDED", Host: h.Ref, Status: "UP"}
	for _, x := range m.machines {
		if x.InstanceUUID == h.SVM {
			a.VM = x.Ref
		}
	}
	switch well := m.cfg.Health(h.Name); {
	case !well.Deployed:
		a.Status, a.ErrorID, a.Error = "DOWN", "280004", "The service VM is not reachable."
	case !well.Solution, !well.Mux:
		a.Status, a.ErrorID, a.Error = "WARNING", "280003", "The solution or its connection to the host is not up."
	}
	return a
}
