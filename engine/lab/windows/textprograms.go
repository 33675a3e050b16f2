package windows

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

func clean(p *cmdexe.Process, name string) string { return disk.Clean(p.Dir, name) }

// ping waits a second of lab time between its packets. Everything that it asks answers.
func (g *Guest) ping(ctx context.Context, p *cmdexe.Process) uint32 {
	count, host := 4, ""
	for i := 0; i < len(p.Argv); i++ {
		switch flag := strings.ToLower(strings.Replace(p.Argv[i], "-", "/", 1)); {
		case flag == "/n":
			i++
			count, _ = strconv.Atoi(at(p.Argv, i))
		case flag == "/w" || flag == "/l" || flag == "/i":
			i++
		case !strings.HasPrefix(flag, "/"):
			host = p.Argv[i]
		}
	}
	if host == "" {
		return g.fail(p, 1, "IP address must be specified.")
	}
	fmt.Fprintf(p.Stdout, "\r\nPinging %s with 32 bytes of data:\r\n", host)
	for i := range count {
		if i > 0 && g.cfg.Clock.Wait(ctx, time.Second) != nil {
			return cmdexe.Killed
		}
		line(p, "Reply from %s: bytes=32 time<1ms TTL=128", host)
	}
	fmt.Fprintf(p.Stdout, "\r\nPing statistics for %s:\r\n    Packets: Sent = %d, Received = %d, Lost = 0 (0%% loss),\r\n", host, count, count)
	return 0
}

// timeout waits, unless its input is redirected: then it refuses, as on Windows.
func (g *Guest) timeout(ctx context.Context, p *cmdexe.Process) uint32 {
	if p.Stdin != nil {
		return g.fail(p, 1, "ERROR: Input redirection is not supported, exiting the process immediately.")
	}
	for _, arg := range p.Argv {
		if n, err := strconv.Atoi(arg); err == nil && g.cfg.Clock.Wait(ctx, time.Duration(n)*time.Second) != nil {
			return cmdexe.Killed
		}
	}
	return 0
}

// certutil is "certutil -decode|-encode FROM TO" with -f: base64, between or without the lines of a certificate.
func (g *Guest) certutil(ctx context.Context, p *cmdexe.Process) uint32 {
	touch.Mark(ctx) // it knows -encode and -decode only, which write a file
	var verb string
	var files []string
	force := false
	for _, arg := range p.Argv {
		switch flag := strings.ToLower(strings.Replace(arg, "/", "-", 1)); {
		case flag == "-f":
			force = true
		case strings.HasPrefix(flag, "-"):
			verb = flag
		default:
			files = append(files, clean(p, arg))
		}
	}
	if verb != "-decode" && verb != "-encode" || len(files) != 2 {
		return g.fail(p, 1, "certutil %s is not simulated", verb)
	}
	if _, exists := g.disk.Stat(files[1]); exists && !force {
		return certutilFailed(p, "EncodeToFile", 0x80070050, "The file exists. 0x80070050 (WIN32: 80 ERROR_FILE_EXISTS)")
	}
	data, err := g.disk.Read(files[0])
	if err != nil {
		return certutilFailed(p, verb[1:], 0x80070002, "The system cannot find the file specified. 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)")
	}
	output, err := recode(verb, data)
	if err != nil {
		return certutilFailed(p, "DecodeFile", 0x8007000d, "The data is invalid. 0x8007000d (WIN32: 13 ERROR_INVALID_DATA)")
	}
	if err := g.disk.Write(files[1], output); err != nil {
		return certutilFailed(p, "EncodeToFile", 0x80070003, err.Error())
	}
	line(p, "Input Length = %d\r\nOutput Length = %d", len(data), len(output))
	return line(p, "CertUtil: %s command completed successfully.", verb)
}

func certutilFailed(p *cmdexe.Process, where string, code uint32, text string) uint32 {
	line(p, "%s returned %s\r\nCertUtil: %s", where, text, text)
	return code
}

func recode(verb string, data []byte) ([]byte, error) {
	if verb == "-encode" {
		return []byte("-----BEGIN CERTIFICATE-----\r\n" + base64.StdEncoding.EncodeToString(data) + "\r\n-----END CERTIFICATE-----\r\n"), nil
	}
	var text strings.Builder
	for _, l := range splitLines(string(data)) {
		if !strings.HasPrefix(l, "-----") {
			text.WriteString(strings.TrimSpace(l))
		}
	}
	return base64.StdEncoding.DecodeString(text.String())
}
