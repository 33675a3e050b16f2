package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"unsafe"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/sys/windows"
)

// tree is a job: the first process and all that it and they start, however their parents end.
// Closing a job ends nothing: what a command leaves in the background lives on, as on POSIX.
type tree struct {
	job    windows.Handle
	leader int
}

// start starts cmd, which is suspended until it is in the job, so that no child can be born outside of it.
func start(cmd *exec.Cmd) (tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return tree{}, fmt.Errorf("make a job: %w", err)
	}
	t := tree{job: job}
	if err := cmd.Start(); err != nil {
		t.release()
		return tree{}, err
	}
	t.leader = cmd.Process.Pid
	var assigned error
	err = cmd.Process.WithHandle(func(h uintptr) { assigned = windows.AssignProcessToJobObject(job, windows.Handle(h)) })
	if err = errors.Join(err, assigned); err == nil {
		err = resume(uint32(t.leader)) //nolint:gosec // Windows counts them with 32 bits
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("put the command into a job: %w", err), cmd.Process.Kill())
		_ = cmd.Wait() // killed
		t.release()
		return tree{}, err
	}
	return t, nil
}

// resume wakes the only thread of a process that was started suspended; os/exec keeps no handle of it.
func resume(pid uint32) error {
	all, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(all) }()
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(all, &entry); err == nil; err = windows.Thread32Next(all, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return err
		}
		_, err = windows.ResumeThread(thread)
		return errors.Join(err, windows.CloseHandle(thread))
	}
	return fmt.Errorf("find its first thread: %w", err)
}

// kill ends the whole job, and returns who is left; the leader stands for those who cannot be listed.
func (t tree) kill(ctx context.Context) (left []int) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	failed := windows.TerminateJobObject(t.job, 1)
	for {
		ids, err := t.members()
		if err == nil && len(ids) == 0 {
			return nil
		}
		if failed == nil && engine.Wait(ctx, glance) == nil {
			continue
		}
		if len(ids) == 0 {
			ids = []int{t.leader}
		}
		return ids
	}
}

// processIDs is JOBOBJECT_BASIC_PROCESS_ID_LIST, with room for some:
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_process_id_list
type processIDs struct {
	assigned, listed uint32
	ids              [256]uintptr
}

// members are the processes of the job that live; of very many, the first.
func (t tree) members() ([]int, error) {
	var list processIDs
	err := windows.QueryInformationJobObject(t.job, windows.JobObjectBasicProcessIdList,
		uintptr(unsafe.Pointer(&list)), uint32(unsafe.Sizeof(list)), nil)
	if err != nil && !errors.Is(err, windows.ERROR_MORE_DATA) {
		return nil, err
	}
	var ids []int
	for _, id := range list.ids[:min(int(list.listed), len(list.ids))] {
		ids = append(ids, int(id))
	}
	return ids, nil
}

func (t tree) release() { _ = windows.CloseHandle(t.job) }
