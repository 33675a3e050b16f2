package windows

import (
	"slices"
	"strings"
)

func (g *Guest) home(user string) string {
	if isSystem(user) {
		return `C:\Windows\System32`
	}
	return `C:\Users\` + account(user)
}

func account(user string) string { return user[strings.LastIndexByte(user, '\\')+1:] }

func isSystem(user string) bool { return strings.EqualFold(account(user), "SYSTEM") }

func (g *Guest) administrator(user string) bool {
	return !slices.ContainsFunc(g.cfg.Limited, func(l string) bool { return strings.EqualFold(l, account(user)) })
}

func (g *Guest) environment(user string) map[string]string {
	domain, _, ok := strings.Cut(user, `\`)
	if !ok {
		domain = g.cfg.Name
	}
	profile, temp := g.home(user), g.home(user)+`\AppData\Local\Temp`
	if isSystem(user) {
		profile, temp = `C:\Windows\system32\config\systemprofile`, `C:\Windows\TEMP`
	} else {
		g.disk.MakeAll(temp)
	}
	return map[string]string{
		"COMPUTERNAME": strings.ToUpper(g.cfg.Name), "ComSpec": `C:\Windows\system32\cmd.exe`, "OS": "Windows_NT",
		"Path":         `C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem;C:\Windows\System32\WindowsPowerShell\v1.0\`,
		"PATHEXT":      ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
		"ProgramFiles": `C:\Program Files`, "ProgramData": `C:\ProgramData`, "PROCESSOR_ARCHITECTURE": "AMD64",
		"SystemDrive": "C:", "SystemRoot": `C:\Windows`, "windir": `C:\Windows`, "TEMP": temp, "TMP": temp,
		"USERDOMAIN": strings.ToUpper(domain), "USERNAME": account(user), "USERPROFILE": profile,
	}
}

func (g *Guest) fillDisk() {
	system := `C:\Windows\System32\`
	for _, name := range programNames {
		g.disk.Install(system+name+".exe", name)
	}
	g.disk.Install(system+`Wbem\wmic.exe`, "wmic")
	g.disk.Install(system+`WindowsPowerShell\v1.0\powershell.exe`, "powershell")
	for _, folder := range []string{`C:\Windows\TEMP`, `C:\Users\Public`, `C:\ProgramData`, `C:\Program Files\Common Files`} {
		g.disk.MakeAll(folder)
	}
	g.disk.Put(`C:\Windows\System32\drivers\fltMgr.sys`, "MZ\x90\x00")
}
