package windows

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// psUpload is the state of the script that puts a file.
type psUpload struct {
	g                  *Guest
	p                  *cmdexe.Process
	file, temp, backup string
	forget             bool   // the backup is not wanted
	want               string // the hash; of a secret it comes as the first line
	first              bool
	judge              string // an expression for cmd.exe; "": none
}

func (g *Guest) psPut(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	secret := holes[5] == "$w"
	if secret != (holes[3] != "") || secret != (holes[4] != "") {
		return g.fail(p, 1, "You cannot call a method on a null-valued expression.")
	}
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1])), backup: clean(p, psValue(holes[2])),
		first: secret, judge: holes[6], forget: holes[7] != ""}
	if !secret {
		u.want = psValue(holes[5])
	}
	if err := u.begin(); err != nil {
		return bad(p, err)
	}
	hash := sha256.New()
	if err := u.process(ctx, hash); err != nil {
		if ctx.Err() != nil {
			return cmdexe.Killed // nobody tidies up
		}
		_ = g.disk.Remove(u.temp)
		return bad(p, err)
	}
	if fmt.Sprintf("%x", hash.Sum(nil)) != u.want {
		_ = g.disk.Remove(u.temp)
		return 86
	}
	return u.end(ctx)
}

func (u *psUpload) begin() error {
	if err := u.g.disk.Write(u.temp, nil); err != nil {
		return err
	}
	if old, ok := u.g.disk.Stat(u.file); ok && !old.Dir {
		u.g.disk.SetACL(u.temp, old.ACL)
	}
	return nil
}

// process takes the lines as they come.
func (u *psUpload) process(ctx context.Context, hash io.Writer) error {
	if u.p.Stdin == nil {
		return nil
	}
	in := bufio.NewReaderSize(u.p.Stdin, 1<<16)
	for {
		text, err := in.ReadString('\n')
		text = strings.TrimRight(text, "\r\n")
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case text == "":
		case u.first:
			u.want, u.first = text, false
		default:
			data, bad := base64.StdEncoding.DecodeString(text)
			if bad != nil {
				return errors.New("The input is not a valid Base-64 string.")
			}
			_, _ = hash.Write(data) // it cannot fail
			if bad := u.g.disk.Append(u.temp, data); bad != nil {
				return bad
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the end of the input
		}
	}
}

func (u *psUpload) end(ctx context.Context) uint32 {
	if u.judge != "" {
		command := psValue(strings.ReplaceAll(u.judge, "$t", "'"+strings.ReplaceAll(u.temp, "'", "''")+"'"))
		var out bytes.Buffer
		child := *u.p
		child.Stdin, child.Stdout, child.Stderr = nil, &out, u.p.Stderr
		if code := cmdexe.Run(ctx, u.g.system, &child, command); code != 0 {
			fmt.Fprint(u.p.Stdout, out.String())
			_ = u.g.disk.Remove(u.temp)
			return 89
		}
	}
	err := u.g.disk.Replace(u.temp, u.file, u.backup)
	if err == nil && u.forget {
		_ = u.g.disk.Remove(u.backup) // where there was no old file there is none
	}
	if err != nil {
		_ = u.g.disk.Remove(u.temp)
		return bad(u.p, err)
	}
	return 0
}

// psPrepare makes room for a file, under its temporary name.
func (g *Guest) psPrepare(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1]))}
	size, err := strconv.Atoi(holes[2])
	if err == nil {
		err = u.begin()
	}
	if err == nil {
		err = g.disk.Append(u.temp, make([]byte, size))
	}
	if err != nil {
		_ = g.disk.Remove(u.temp)
		return bad(p, err)
	}
	return 0
}

// psFinish compares the temporary file and moves it.
func (g *Guest) psFinish(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1])), backup: clean(p, psValue(holes[2])),
		want: psValue(holes[3]), judge: holes[4], forget: holes[5] != ""}
	data, err := g.disk.Read(u.temp)
	if err == nil {
		err = g.disk.Openable(u.temp)
	}
	if err != nil {
		return bad(p, err)
	}
	if fmt.Sprintf("%x", sha256.Sum256(data)) != u.want {
		_ = g.disk.Remove(u.temp)
		return 86
	}
	return u.end(ctx)
}
