package guestops

import (
	"errors"
	"io/fs"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

var errNotEmpty = errors.New("the directory is not empty")

// said is a fault with the text of a vCenter in English.
func said(fault types.BaseMethodFault) *soap.Fault {
	text := ""
	switch fault.(type) {
	case *types.InvalidGuestLogin:
		text = "Failed to authenticate with the guest operating system using the supplied credentials."
	case *types.GuestOperationsUnavailable:
		text = "The guest operations agent could not be contacted."
	case *types.GuestPermissionDenied:
		text = "Permission to perform this operation was denied."
	case *types.InvalidPowerState:
		text = "The attempted operation cannot be performed in the current state (Powered off)."
	case *types.OperationDisabledByGuest:
		text = "The operation is disabled in the guest operating system."
	case *types.TaskInProgress:
		text = "The operation is not allowed in the current state."
	case *types.GuestOperationsFault:
		text = "A general system error occurred: vix error codes = (1, 0)."
	}
	return simulator.Fault(text, fault)
}

// faultOf is how Tools name what the system says; nil for nil.
func faultOf(err error, name string) types.BaseMethodFault {
	file := types.FileFault{File: name}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &types.FileNotFound{FileFault: file}
	case errors.Is(err, fs.ErrExist):
		return &types.FileAlreadyExists{FileFault: file}
	case errors.Is(err, ErrDenied), errors.Is(err, fs.ErrPermission):
		return new(types.GuestPermissionDenied)
	case errors.Is(err, errNotEmpty):
		return &types.DirectoryNotEmpty{FileFault: file}
	}
	return &types.CannotAccessFile{FileFault: file}
}

type authManager struct {
	mo.GuestAuthManager
	tools *Tools
}

// ValidateCredentialsInGuest checks an account.
func (m *authManager) ValidateCredentialsInGuest(ctx *simulator.Context, req *types.ValidateCredentialsInGuest) soap.HasFault {
	body := new(methods.ValidateCredentialsInGuestBody)
	if _, fault := m.tools.enter(ctx, "ValidateCredentialsInGuest", req.Vm, req.Auth); fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = new(types.ValidateCredentialsInGuestResponse)
	return body
}
