package machine

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/dsplay/dsplay/engine"
)

// Exit codes of the scripts below.
const (
	putNoFolder = 81 + iota
	putLink
	putNoFile
	putMkdir
	putSize
	putHash
	putOwner
	putLabel
	putInvalid
	putBackup
	putMove
	putTaken
)

// putJob is an upload to a POSIX host, as shell text. The file grows in a folder of its own, mode 0700, beside its
// place: nobody else can open it there whatever its mode, the way to its place is one rename on one file system, and
// mkdir fails, and follows nothing, when somebody was there first. The name of the folder depends on the path alone:
// a plan can show it, and what a killed run left is found and removed by the next.
type putJob struct {
	u     engine.Upload
	tools tools
	dir   string // the folder
	temp  string // the file in it
}

func newPutJob(u engine.Upload, t tools) putJob {
	sum := sha256.Sum256([]byte(u.Path))
	dir := path.Join(path.Dir(u.Path), fmt.Sprintf(".dsplay-%x", sum[:4]))
	return putJob{u: u, tools: t, dir: dir, temp: dir + "/" + path.Base(u.Path)}
}

func (j putJob) begin() string {
	return fmt.Sprintf(`umask 077; LC_ALL=C; export LC_ALL; f=%s; T=%s; t=%s; `, engine.QuoteSh(j.u.Path), engine.QuoteSh(j.dir), engine.QuoteSh("./"+path.Base(j.u.Path)))
}

// enter goes into the folder, and looks whether it is our own: who may write to the folder around it could have put
// another in its place, with a link in it. From there on nobody can: names are of the folder in which we are.
const enter = `cd "$T" && [ -O . ] || exit 92; `

// tidy removes the folder whatever happens; a link that is cut ends the input, and so the script.
const tidy = `trap 'rm -rf "$T"' EXIT; trap 'exit 143' HUP INT TERM; `

func (j putJob) makeDir() string {
	return fmt.Sprintf(`[ -d %s ] || exit 81; [ -L "$f" ] && exit 82; [ ! -e "$f" ] || [ -f "$f" ] || exit 83; rm -rf "$T"; mkdir -m 700 "$T" || exit 84; `,
		engine.QuoteSh(path.Dir(j.u.Path)))
}

// stream is everything in one line: the content comes on standard input. That of a secret is preceded by its size and
// its hash, which do not stand on the line. The hash is taken of the file afterwards and not on the way: tee reads so
// little at a time that the connection waits for it (docs/performance.md).
func (j putJob) stream() string {
	receive := `cat >"$t"; s=$(` + j.hash() + ` <"$t"); `
	if j.u.Content.Secret != "" {
		return j.begin() + tidy + j.makeDir() + enter + `read -r n w; ` + receive + j.compare(`"$n"`, `"$w"`) + j.finish()
	}
	return j.begin() + tidy + j.makeDir() + enter + receive + j.compare(fmt.Sprint(j.u.Content.Size), j.u.Content.SHA256) + j.finish()
}

// prepare and finish go round a transfer by other means.
func (j putJob) prepare() string { return j.begin() + strings.TrimSuffix(j.makeDir(), "; ") }

// room asks whether there is space, for a transfer that has no words for a full disk. A df that is missing, or whose answer
// is not that of POSIX, decides nothing.
func (j putJob) room() string {
	return fmt.Sprintf(`; set -- $(df -Pk "$T" 2>/dev/null | tail -n 1); case $4:$5 in *[!0-9]*:*|:*) ;; *:*%%) [ "$4" -ge %d ] || { echo "No space left on device" >&2; exit 85; };; esac`,
		(j.u.Content.Size+1023)/1024)
}

func (j putJob) conclude() string {
	check := fmt.Sprintf(`[ "$(wc -c <"$t")" -eq %d ] || exit 85; `, j.u.Content.Size)
	switch {
	case j.u.Content.Secret != "":
		check = "" // it was read back
	case j.tools.hash != "":
		check = `s=$(` + j.hash() + ` <"$t"); ` + j.compare(fmt.Sprint(j.u.Content.Size), j.u.Content.SHA256)
	}
	return j.begin() + tidy + enter + check + j.finish()
}

// hash is the command for the SHA-256 of this file.
func (j putJob) hash() string {
	if j.u.Content.Size > largeFile {
		return j.tools.fast
	}
	return j.tools.hash
}

func (j putJob) remove() string { return "rm -rf " + engine.QuoteSh(j.dir) }

func (j putJob) compare(size, hash string) string {
	return `[ "$(wc -c <"$t")" -eq ` + size + ` ] || exit 85; case $s in *` + hash + `*) ;; *) exit 86;; esac; `
}

// finish gives the new file its owner, mode and label, lets it be judged, and moves it over the old one.
func (j putJob) finish() string {
	var b strings.Builder
	u := j.u
	switch {
	case u.Owner != "" && u.Group != "":
		fmt.Fprintf(&b, `chown %s "$t" || exit 87; `, engine.QuoteSh(u.Owner+":"+u.Group))
	case u.Owner != "":
		fmt.Fprintf(&b, `chown %s "$t" || exit 87; `, engine.QuoteSh(u.Owner))
	case u.Group != "":
		fmt.Fprintf(&b, `chgrp %s "$t" || exit 87; `, engine.QuoteSh(u.Group))
	}
	if u.Mode != "" {
		fmt.Fprintf(&b, `chmod %s "$t" || exit 87; `, engine.QuoteSh(u.Mode))
	}
	if u.Was.ACL == "+" {
		b.WriteString(`a=$(getfacl -p "$f") && printf '%s\n' "$a" | setfacl --set-file=- "$t" || exit 88; `)
	}
	if u.Was.Label != "" {
		b.WriteString(`chcon --reference="$f" "$t" || exit 88; `)
	}
	if u.Validate != "" {
		text := strings.ReplaceAll(u.Validate, "%s", `"$1"`)
		fmt.Fprintf(&b, `sh -c %s sh %s </dev/null >&2 || exit 89; `, engine.QuoteSh(text), engine.QuoteSh(j.temp))
	}
	if u.Backup != "" {
		fmt.Fprintf(&b, `b=%s; [ -e "$b" ] || ln "$f" "$b" 2>/dev/null || cp -p "$f" "$b" || exit 90; `, engine.QuoteSh(u.Backup))
	}
	b.WriteString(`mv -f "$t" "$f" || exit 91`)
	if j.tools.selinux && u.Was.Label == "" {
		b.WriteString(`; restorecon "$f" 2>/dev/null; :`)
	}
	return b.String()
}

// reasons are what the exit codes mean, and what to try.
var reasons = map[int]struct {
	msg, hint string
	err       error
}{
	putNoFolder: {"there is no such folder", "make it first, with a step before this one", fs.ErrNotExist},
	putLink:     {"it is a link now, and was none before", "somebody replaced it meanwhile; look at it on the host, and plan again", nil},
	putNoFile:   {"something else than a file is there", "look at it on the host: a folder, a device or a pipe is not replaced", nil},
	putMkdir:    {"the folder takes no new file", "see the right to write there, or add a sudo block", nil},
	putSize:     {"not everything could be written", "see how much space there is: df", nil},
	putHash:     {"what arrived is not what was sent: its SHA-256 differs", "send it again; when it stays so, look for what changes the content on its way", nil},
	putOwner:    {"owner, group or mode cannot be set", "only root gives files away: add a sudo block, or connect as the owner", nil},
	putLabel:    {"the rights beside the mode (ACL or SELinux label) cannot be kept", "install acl or coreutils on the host, or remove them from the old file", nil},
	putInvalid:  {"the validate command does not like the new file", "correct the content; the old file is as it was", engine.ErrValidate},
	putBackup:   {"the old file cannot be kept as a backup", "see the space and the rights in its folder", nil},
	putMove:     {"the new file cannot take its place", "is the file immutable, or mounted over?", nil},
	putTaken:    {"the temporary folder does not belong to who made it", "somebody else may write where the file shall be, and put another in its place; or it is on a network file system that gives it away (root_squash, uid=): copy to a folder of its own first", nil},
}

// phrases are libc's words under LC_ALL=C, and scp's and SFTP's, which are the same.
var phrases = []struct {
	text string
	err  error
	hint string
}{
	{"No space left on device", syscall.ENOSPC, "make room on the file system of the target: df"},
	{"Disk quota exceeded", syscall.ENOSPC, "the quota of this user is used up"},
	{"Read-only file system", syscall.EROFS, "the file system is mounted read-only; after a disk error Linux does that by itself: see dmesg"},
	{"Permission denied", fs.ErrPermission, "connect as a user who may write there, or add a sudo block"},
	{"Operation not permitted", fs.ErrPermission, "only root may do this; or the file is immutable (lsattr)"},
	{"Text file busy", syscall.EBUSY, "it runs; stop it first"},
	{"Device or resource busy", syscall.EBUSY, "it is a mount point: what is mounted over it cannot be replaced"},
}

// putError makes sense of the exit code of a script, and of what it said.
func putError(host, op string, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindModule, Host: host, Op: op, Msg: "exit code " + exitText(out)}
	r, ok := reasons[out.Code]
	if !ok {
		e.Hint, e.Err = phrased(out.Stderr, "", nil)
		return e
	}
	e.Msg = r.msg
	if said := lastLines(out.Stderr); said != "" {
		e.Msg += " (" + said + ")"
	}
	hint, err := r.hint, r.err
	if out.Code != putInvalid { // its words are not ours to interpret
		hint, err = phrased(out.Stderr, hint, err)
	}
	e.Hint = hint
	if err != nil {
		e.Err = silent{err}
	}
	return e
}

// silent is an error for errors.Is: what there is to say, the host's words say.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// phrased finds what a text of the host means; err and hint stand when nothing in it is known.
func phrased(text, hint string, err error) (string, error) {
	for _, p := range phrases {
		if strings.Contains(text, p.text) {
			return p.hint, p.err
		}
	}
	return hint, err
}
