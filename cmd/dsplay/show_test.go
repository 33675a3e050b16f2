package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
)

// shows runs "dsplay show" and gives what it wrote and its exit code.
func shows(t *testing.T, args ...string) (out, err string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = dsplay(append([]string{"show"}, args...), nil, &o, &e)
	return o.String(), e.String(), code
}

// planFile is the file of a small plan.
func planFile(t *testing.T) string {
	t.Helper()
	d := plan.Document{Format: plan.Format, Dsplay: "1.0.0", Made: time.Unix(1, 0).UTC(), Until: time.Unix(2, 0).UTC(), Playbook: plan.Playbook{Path: "p.hcl", Description: "bring it back"}}
	data, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.plan")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShowPlan(t *testing.T) {
	t.Setenv("LC_ALL", "ja_JP.UTF-8")
	path := planFile(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{path}, "変更は不要です。"},
		{[]string{path, "--lang", "en"}, "IT IS OVER: plan again"},
		{[]string{path, "--lang=en", "--format=markdown"}, "# Change plan: bring it back"},
		{[]string{path, "--format=html"}, `<html lang="ja">`},
		{[]string{path, "--format=json"}, `"description": "bring it back"`},
	} {
		if out, err, code := shows(t, c.args...); code != exitOK || !strings.Contains(out, c.want) {
			t.Errorf("show %v: exit %d, %s%s", c.args, code, out, err)
		}
	}
}

func TestShowWrites(t *testing.T) {
	path := planFile(t)
	to := filepath.Join(t.TempDir(), "x.html")
	if out, err, code := shows(t, path, "--format=html", "--lang=en", "--out", to); code != exitOK || out != "" {
		t.Fatalf("exit %d, %s%s", code, out, err)
	}
	info, err := os.Stat(to)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() == 0 || runtime.GOOS != "windows" && info.Mode() != fs.FileMode(0o600) {
		t.Errorf("%s has %d bytes and mode %s", to, info.Size(), info.Mode())
	}
}

func TestShowRefuses(t *testing.T) {
	path := planFile(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	altered := filepath.Join(t.TempDir(), "altered.plan")
	if err := os.WriteFile(altered, bytes.Replace(data, []byte("back"), []byte("down"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{altered}, exitRefused, "the plan was altered"},
		{[]string{path + "x"}, exitUsage, "no such file"},
		{[]string{path, "--format=pdf"}, exitUsage, `--format "pdf": it must be one of text, json, markdown, html`},
		{[]string{path, "--lang=de"}, exitUsage, `--lang "de": it must be en or ja`},
		{nil, exitUsage, "usage: dsplay show PLAN"},
	} {
		if out, err, code := shows(t, c.args...); code != c.code || !strings.Contains(err, c.want) || out != "" {
			t.Errorf("show %v: exit %d, %s%s", c.args, code, out, err)
		}
	}
}
