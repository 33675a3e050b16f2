package dsm

import (
	"context"
	"strconv"

	"github.com/dsplay/dsplay/engine"
)

// Job is work on one computer that a DSM can be asked for.
type Job struct {
	Start, Clean string // the requests as a plan shows them; Clean is "" over SOAP
	task         any    // the body of POST /scheduledtasks; nil: it is started by operation
	operation    string
	args         []element
}

// StartUpdate is a security update of one computer: over REST a scheduled task that runs now and is deleted afterwards, over
// SOAP hostUpdateComponent. Which type and id the latter wants for "everything" is not documented: they are given as they are.
// It makes no request; which API it is, Fetch or Hello say.
func StartUpdate(apiName string, computer int, kind, component string) Job {
	id := strconv.Itoa(computer)
	if apiName == "rest" {
		return scheduled(newTask("dsplay update of computer "+id, "check-for-security-updates"), func(t *task) { t.Update = filterOf(computer); t.Update.Timeout = "never" })
	}
	return Job{Start: "hostUpdateComponent hostIDs=" + id + " type=" + kind + " id=" + component, operation: "hostUpdateComponent",
		args: []element{{name: "hostIDs", text: id}, {name: "type", text: kind}, {name: "id", text: component}}}
}

// SendPolicy sends one computer its policy: over REST as StartUpdate does, over SOAP hostUpdateNow.
func SendPolicy(apiName string, computer int) Job {
	id := strconv.Itoa(computer)
	if apiName == "rest" {
		return scheduled(newTask("dsplay policy of computer "+id, "send-policy"), func(t *task) { t.Policy = filterOf(computer) })
	}
	return Job{Start: "hostUpdateNow hostIDs=" + id, operation: "hostUpdateNow", args: []element{{name: "hostIDs", text: id}}}
}

func scheduled(t task, set func(*task)) Job {
	set(&t)
	return Job{task: t, Start: "POST /api/scheduledtasks " + jsonText(t), Clean: "DELETE /api/scheduledtasks/ID (of that task)"}
}

// Do starts it, once. clean removes what was made for that; it is never nil.
func (j Job) Do(ctx context.Context, api engine.API) (clean func(context.Context) error, err error) {
	clean = func(context.Context) error { return nil }
	if j.task == nil {
		_, err := (&soap{api: api}).act(ctx, j.operation, j.args...)
		return clean, err
	}
	var made struct {
		ID int `json:"ID"`
	}
	if err := restCall(ctx, api, "POST", "scheduledtasks", j.task, &made); err != nil {
		return clean, err
	}
	return func(ctx context.Context) error {
		return restCall(ctx, api, "DELETE", "scheduledtasks/"+strconv.Itoa(made.ID), nil, nil)
	}, nil
}

// Commands are the requests, as a plan shows them.
func (j Job) Commands() []string {
	if j.Clean == "" {
		return []string{j.Start}
	}
	return []string{j.Start, j.Clean}
}

// farFuture is the start of a task that is run at once: 2100-01-01, so that it does not run a second time by itself.
const farFuture = 4102444800000

// task is the body of POST /scheduledtasks.
type task struct {
	Name    string       `json:"name"`
	Type    string       `json:"type"`
	Enabled bool         `json:"enabled"`
	RunNow  bool         `json:"runNow"`
	Details taskDetails  `json:"scheduleDetails"`
	Update  *taskFilters `json:"checkForSecurityUpdatesTaskParameters,omitempty"`
	Policy  *taskFilters `json:"sendPolicyTaskParameters,omitempty"`
}

type taskDetails struct {
	TimeZone   string `json:"timeZone"`
	Recurrence string `json:"recurrenceType"`
	Once       struct {
		StartTime int64 `json:"startTime"`
	} `json:"onceOnlyScheduleParameters"`
}

type taskFilters struct {
	ComputerFilter struct {
		Type       string `json:"type"`
		ComputerID int    `json:"computerID"`
	} `json:"computerFilter"`
	Timeout string `json:"timeout,omitempty"` // of a check for updates
}

func newTask(name, kind string) task {
	t := task{Name: name, Type: kind, Enabled: true, RunNow: true, Details: taskDetails{TimeZone: "UTC", Recurrence: "none"}}
	t.Details.Once.StartTime = farFuture
	return t
}

func filterOf(computer int) *taskFilters {
	f := &taskFilters{}
	f.ComputerFilter.Type, f.ComputerFilter.ComputerID = "computer", computer
	return f
}
