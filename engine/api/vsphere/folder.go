package vsphere

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"

	"github.com/dsplay/dsplay/engine"
)

// NoFile says that a file of a datastore cannot be read: it is not there, or the user may not.
type NoFile struct{ Why string }

func (e *NoFile) Error() string { return e.Why }

// ReadLog hands the lines of a machine's vmware.log to line, without their ends, and returns the log's path on its datastore.
// What cannot be read is a *NoFile.
//
// The file comes from the vCenter over HTTPS (/folder), with the session that there is. That needs Datastore.Browse on the
// datastore (high; some versions also want Datastore.FileManagement, unverified); the other way, SSH to the ESXi host, needs
// root there, SSH switched on, and no lockdown mode.
func ReadLog(ctx context.Context, api engine.API, ref string, line func(string)) (string, error) {
	var file object.DatastorePath
	var center string
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		var err error
		file, center, err = logFile(ctx, c, ref)
		return err
	})
	if err != nil {
		return file.String(), err
	}
	err = Do(ctx, api, func(ctx context.Context, c *vim25.Client) error {
		u := *c.URL()
		u.Path = "/folder/" + file.Path
		u.RawQuery = url.Values{"dcPath": {center}, "dsName": {file.Datastore}}.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		return c.Client.Do(ctx, req, func(res *http.Response) error { return readLines(res, line) })
	})
	if refused, ok := errors.AsType[*NoFile](err); ok {
		err = refused
	}
	return file.String(), err
}

// logFile is where the log of a machine is, and the path of the datacenter to which its datastore belongs.
func logFile(ctx context.Context, c *vim25.Client, ref string) (object.DatastorePath, string, error) {
	var file object.DatastorePath
	collector := property.DefaultCollector(c)
	var vm mo.VirtualMachine
	if err := collector.RetrieveOne(ctx, reference(ref), []string{"config.files"}, &vm); err != nil {
		return file, "", err
	}
	if vm.Config == nil {
		return file, "", &NoFile{"vCenter does not tell where its files are"}
	}
	switch files := vm.Config.Files; {
	case file.FromString(files.LogDirectory):
	case file.FromString(files.VmPathName):
		file.Path = path.Dir(file.Path)
	default:
		return file, "", &NoFile{fmt.Sprintf("%q is no path on a datastore", files.VmPathName)}
	}
	file.Path = path.Join(file.Path, "vmware.log")
	above, err := mo.Ancestors(ctx, c, collector.Reference(), reference(ref))
	if err != nil {
		return file, "", err
	}
	var center []string
	for i, e := range above { // from the root folder down; the root has no name in paths
		if i > 0 {
			center = append(center, e.Name)
		}
		if e.Self.Type == "Datacenter" {
			return file, strings.Join(center, "/"), nil
		}
	}
	return file, "", &NoFile{"vCenter does not tell of which datacenter it is"}
}

// longestLine is what is kept of a line of a log.
const longestLine = 4096

func readLines(res *http.Response, line func(string)) error {
	switch res.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
	case http.StatusUnauthorized:
		return &NoFile{"vCenter does not let the user read files of datastores (401)"}
	case http.StatusForbidden:
		return &NoFile{"the user may not read files of the datastore (403): its role needs Datastore.Browse there"}
	default:
		return &NoFile{fmt.Sprintf("vCenter answers %s for it", res.Status)}
	}
	in := bufio.NewReaderSize(res.Body, longestLine)
	for {
		text, more, err := in.ReadLine()
		if err == nil {
			line(string(text))
		}
		for more && err == nil { // the rest of a line that is too long
			_, more, err = in.ReadLine()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
