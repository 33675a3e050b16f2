// Package windows is a simulated Windows guest with VMware Tools: a state machine of drivers, services, Tools features,
// registry, disk, tasks and boots behind a cmd.exe that reads real command lines. It never replays answers: what a
// command prints follows from the state, and commands, faults and reboots change the state.
//
// Where the facts come from, and how sure they are:
//   - Texts and codes of "sc query", the drivers (vsepflt, vmci, vsock, vnetWFP), their types and the code 1060:
//     English Windows Server 2016/2019, certain. The texts around 1056, 1058, 1062, 1052 and 31 are those of FormatMessage:
//     high; how sc puts them together, from memory. The Japanese texts: medium, the prefix "失敗" differs between builds.
//   - The feature names of VMware Tools 10 to 12 (AppDefense only up to 11, CBHelper from 12), that the default install lacks
//     file introspection, that an unknown name fails the install: certain.
//   - The registry key of the features and that absent ones are marked by a leading block character: high. That the
//     character is U+0006: medium. The parent name ("Complete"): invented.
//   - "setup64.exe /S /v…", the codes 3010, 1641, 1618, 1603, 1605, 1619: certain. That adding features to an installed
//     Tools works by this command line: medium. That one may not write a blank after /v: medium.
//   - How long things take, and that every change of drivers takes the network away for some seconds: chosen to be
//     pessimistic. What a killed installer leaves (Tools that only a repair heals): invented, the worst that is plausible.
//   - HKLM\SYSTEM\MountedDevices: a REG_BINARY for each drive letter, for CD drives the name of the device in UTF-16LE; reg.exe
//     prints it in upper-case hex without spaces: high.
//   - schtasks, reg, net, shutdown, wmic, tasklist, findstr, ping, where: English Windows Server 2016/2019, from memory.
//   - That timeout.exe refuses redirected input: certain. That over WinRM input is always redirected: high.
//   - powershell knows only the expressions of times in file expression.go, and says so for all others.
package windows
