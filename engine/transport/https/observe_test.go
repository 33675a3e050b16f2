package https

import (
	"net/http"
	"strings"
	"testing"
)

func TestRequestsAreTold(t *testing.T) {
	c := api(t, func(http.ResponseWriter, *http.Request) {})
	var told []string
	c.Observe(func(request string) { told = append(told, request) })
	const soap = `<?xml version="1.0"?><e:Envelope xmlns:e="x"><e:Header><a/></e:Header><e:Body><v:PowerOnVM_Task xmlns:v="urn"><_this>vm-1</_this></v:PowerOnVM_Task></e:Body></e:Envelope>`
	for _, x := range []struct {
		method, body string
		header       http.Header
	}{
		{"GET", "", nil},
		{"POST", soap, http.Header{"Soapaction": {"urn:vim25/8.0"}}},
		{"POST", soap, http.Header{"Soapaction": {""}}},
		{"POST", `{"a":1}`, nil},
		{"POST", "no XML", http.Header{"Soapaction": {"x"}}},
	} {
		if _, _, err := c.send(t, x.method, x.body, x.header); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(told, "\n"), "GET /x\nPOST /x PowerOnVM_Task\nPOST /x PowerOnVM_Task\nPOST /x\nPOST /x"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}
