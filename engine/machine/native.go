package machine

import (
	"context"
	"fmt"
	"io"

	"github.com/dsplay/dsplay/engine"
)

// native is a connection that carries files by itself, beside command lines: vSphere guest operations. It does so as the
// user of the connection.
type native interface {
	// Upload makes the file path, or replaces it, with the size bytes of r.
	Upload(ctx context.Context, path string, r io.Reader, size int64) error
	// Download writes the file path to w and returns how many bytes that were.
	Download(ctx context.Context, path string, w io.Writer) (int64, error)
}

// carriesFiles tells whether files go beside the command lines: not as another user, whose files are not the connection's.
func (h *Host) carriesFiles(shell engine.Shell, s system) bool {
	_, ok := shell.(native)
	return ok && h.sudoFor(s, engine.Command{}) == nil
}

// nativeStep writes the temporary file.
func (h *Host) nativeStep(u engine.Upload, temp string) step {
	line := "guest operations: write " + temp
	return step{line: line, carry: func(ctx context.Context, shell engine.Shell, from *source) error {
		h.options.Ran(line)
		err := shell.(native).Upload(ctx, temp, from, from.total)
		if err == nil {
			return nil
		}
		if changed := h.sourceChanged(u, "copy to "+u.Path); changed != nil {
			return changed // one that has become shorter breaks the transfer
		}
		return err
	}}
}

// download fetches a file into to.
func (h *Host) download(ctx context.Context, shell engine.Shell, path string, to *sink) error {
	h.options.Ran("guest operations: read " + path)
	ctx, stop := to.source.watched(ctx, h.options.Timeout)
	defer stop()
	_, err := shell.(native).Download(ctx, path, to)
	if to.err != nil {
		return nil // who reads to says so
	}
	return to.source.explained(ctx, h, err)
}

// prepareWindows makes the temporary file with the rights of the old one, and as long as it will be: a full disk, a missing
// folder and missing rights show before anything is sent. Whether VMware Tools keep the rights of a file that they overwrite
// is not documented: until Replace gives it those of the old one, it may have those of its folder.
const prepareWindows = `$ErrorActionPreference='Stop';$f=%[1]s;$t=%[2]s;$s=$null;` + failWindows +
	`try{[IO.File]::Delete($t);$s=New-Object IO.FileStream($t,'CreateNew','Write','None');if([IO.File]::Exists($f)){$a=New-Object Security.AccessControl.FileSecurity;` +
	`$a.SetSecurityDescriptorSddlForm([IO.File]::GetAccessControl($f,'Access').GetSecurityDescriptorSddlForm('Access'),'Access');[IO.File]::SetAccessControl($t,$a)};` +
	`$s.SetLength(%[3]d);$s.Close()}catch{bad $_.Exception}`

// finishWindows compares what has arrived, and moves it to its place as putWindows does.
const finishWindows = `$ErrorActionPreference='Stop';$f=%[1]s;$t=%[2]s;$o=%[3]s;$s=$null;` + failWindows + newSHA256 +
	`try{$s=New-Object IO.FileStream($t,'Open','Read','Read');$g=[BitConverter]::ToString($h.ComputeHash($s)).Replace('-','').ToLower();$s.Close();` +
	`if($g -ne %[4]s){[IO.File]::Delete($t);exit 86};%[5]s` +
	`if([IO.File]::Exists($f)){[IO.File]::Replace($t,$f,$o)%[6]s}else{[IO.File]::Move($t,$f)}}catch{bad $_.Exception}`

// nativeWindows are the steps of an upload beside the command lines: two processes, and the file between them.
func (h *Host) nativeWindows(s system, u engine.Upload, n windowsNames, judge func(engine.Output) error) ([]step, error) {
	prepare, err := h.render(s, powershell(fmt.Sprintf(prepareWindows, quotePS(u.Path), quotePS(n.temp), u.Content.Size)))
	if err != nil {
		return nil, err
	}
	finish, err := h.render(s, powershell(fmt.Sprintf(finishWindows, quotePS(u.Path), quotePS(n.temp), quotePS(n.old),
		engine.QuotePS(u.Content.SHA256), validateWindows(u.Validate), n.forget)))
	if err != nil {
		return nil, err
	}
	return []step{{call: prepare, line: prepare.line, judge: judge}, h.nativeStep(u, n.temp), {call: finish, line: finish.line, judge: judge}}, nil
}
