package guestops

import (
	"path"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type fileManager struct {
	mo.GuestFileManager
	tools *Tools
}

// do runs f for who was let in. text and place are what a record says; writing to a scratch place changes nothing.
func (m *fileManager) do(ctx *simulator.Context, method string, vm types.ManagedObjectReference, auth types.BaseGuestAuthentication, place string, f func(s seat) error) *soap.Fault {
	s, fault := m.tools.enter(ctx, method, vm, auth)
	if fault == nil {
		fault = faultOf(f(s), place)
	}
	if fault != nil {
		return said(fault)
	}
	if reads := strings.HasPrefix(method, "List"); !reads {
		s.record(s.user, method+" "+place, place != "" && !s.System.Scratch(place))
	}
	return nil
}

// CreateTemporaryDirectoryInGuest makes a directory that nobody else may read.
func (m *fileManager) CreateTemporaryDirectoryInGuest(ctx *simulator.Context, req *types.CreateTemporaryDirectoryInGuest) soap.HasFault {
	body, made := new(methods.CreateTemporaryDirectoryInGuestBody), ""
	body.Fault_ = m.do(ctx, "CreateTemporaryDirectoryInGuest", req.Vm, req.Auth, "", func(s seat) (err error) {
		made, err = s.System.Temporary(s.user, req.DirectoryPath, req.Prefix, req.Suffix, true)
		return err
	})
	if body.Fault_ == nil {
		body.Res = &types.CreateTemporaryDirectoryInGuestResponse{Returnval: made}
	}
	return body
}

// CreateTemporaryFileInGuest makes an empty file that nobody else may read.
func (m *fileManager) CreateTemporaryFileInGuest(ctx *simulator.Context, req *types.CreateTemporaryFileInGuest) soap.HasFault {
	body, made := new(methods.CreateTemporaryFileInGuestBody), ""
	body.Fault_ = m.do(ctx, "CreateTemporaryFileInGuest", req.Vm, req.Auth, "", func(s seat) (err error) {
		made, err = s.System.Temporary(s.user, req.DirectoryPath, req.Prefix, req.Suffix, false)
		return err
	})
	if body.Fault_ == nil {
		body.Res = &types.CreateTemporaryFileInGuestResponse{Returnval: made}
	}
	return body
}

// MakeDirectoryInGuest makes a directory.
func (m *fileManager) MakeDirectoryInGuest(ctx *simulator.Context, req *types.MakeDirectoryInGuest) soap.HasFault {
	body := new(methods.MakeDirectoryInGuestBody)
	body.Fault_ = m.do(ctx, "MakeDirectoryInGuest", req.Vm, req.Auth, req.DirectoryPath, func(s seat) error {
		return s.System.MakeDir(req.DirectoryPath, req.CreateParentDirectories)
	})
	if body.Fault_ == nil {
		body.Res = new(types.MakeDirectoryInGuestResponse)
	}
	return body
}

// DeleteFileInGuest removes a file.
func (m *fileManager) DeleteFileInGuest(ctx *simulator.Context, req *types.DeleteFileInGuest) soap.HasFault {
	body := new(methods.DeleteFileInGuestBody)
	body.Fault_ = m.do(ctx, "DeleteFileInGuest", req.Vm, req.Auth, req.FilePath, func(s seat) error { return s.System.Remove(req.FilePath) })
	if body.Fault_ == nil {
		body.Res = new(types.DeleteFileInGuestResponse)
	}
	return body
}

// DeleteDirectoryInGuest removes a directory; everything in it only when that is asked for.
func (m *fileManager) DeleteDirectoryInGuest(ctx *simulator.Context, req *types.DeleteDirectoryInGuest) soap.HasFault {
	body := new(methods.DeleteDirectoryInGuestBody)
	body.Fault_ = m.do(ctx, "DeleteDirectoryInGuest", req.Vm, req.Auth, req.DirectoryPath, func(s seat) error {
		list, err := s.System.List(req.DirectoryPath)
		switch {
		case err != nil:
			return err
		case len(list) > 0 && !req.Recursive:
			return errNotEmpty
		}
		return s.System.RemoveAll(req.DirectoryPath)
	})
	if body.Fault_ == nil {
		body.Res = new(types.DeleteDirectoryInGuestResponse)
	}
	return body
}

// MoveFileInGuest moves a file.
func (m *fileManager) MoveFileInGuest(ctx *simulator.Context, req *types.MoveFileInGuest) soap.HasFault {
	body := new(methods.MoveFileInGuestBody)
	body.Fault_ = m.do(ctx, "MoveFileInGuest", req.Vm, req.Auth, req.DstFilePath, func(s seat) error {
		return s.System.Move(req.SrcFilePath, req.DstFilePath, req.Overwrite)
	})
	if body.Fault_ == nil {
		body.Res = new(types.MoveFileInGuestResponse)
	}
	return body
}

// ListFilesInGuest lists a directory, or one file. A pattern is Perl's in reality; here only "all" is known.
func (m *fileManager) ListFilesInGuest(ctx *simulator.Context, req *types.ListFilesInGuest) soap.HasFault {
	body, list := new(methods.ListFilesInGuestBody), []File(nil)
	body.Fault_ = m.do(ctx, "ListFilesInGuest", req.Vm, req.Auth, req.FilePath, func(s seat) (err error) {
		list, err = s.System.List(req.FilePath)
		return err
	})
	if body.Fault_ != nil {
		return body
	}
	body.Res = new(types.ListFilesInGuestResponse)
	for _, f := range list {
		kind := types.GuestFileTypeFile
		if f.Dir {
			kind = types.GuestFileTypeDirectory
		}
		body.Res.Returnval.Files = append(body.Res.Returnval.Files, types.GuestFileInfo{Path: base(f.Path), Type: string(kind), Size: f.Size, Attributes: new(types.GuestFileAttributes)})
	}
	return body
}

// InitiateFileTransferFromGuest gives a URL from which a file can be fetched once.
func (m *fileManager) InitiateFileTransferFromGuest(ctx *simulator.Context, req *types.InitiateFileTransferFromGuest) soap.HasFault {
	body := new(methods.InitiateFileTransferFromGuestBody)
	s, fault := m.tools.enter(ctx, "InitiateFileTransferFromGuest", req.Vm, req.Auth)
	var info File
	if fault == nil {
		info, fault = fileAt(s.System, req.GuestFilePath)
	}
	if fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = &types.InitiateFileTransferFromGuestResponse{Returnval: types.FileTransferInformation{
		Attributes: new(types.GuestFileAttributes), Size: info.Size, Url: m.tools.open(&transfer{seat: s, path: req.GuestFilePath})}}
	return body
}

func fileAt(s System, name string) (File, types.BaseMethodFault) {
	list, err := s.List(name)
	if err == nil && (len(list) != 1 || list[0].Path != name || list[0].Dir) {
		return File{}, &types.NotAFile{FileFault: types.FileFault{File: name}}
	}
	if err != nil {
		return File{}, faultOf(err, name)
	}
	return list[0], nil
}

// InitiateFileTransferToGuest gives a URL to which a file of this size can be sent once.
func (m *fileManager) InitiateFileTransferToGuest(ctx *simulator.Context, req *types.InitiateFileTransferToGuest) soap.HasFault {
	body := new(methods.InitiateFileTransferToGuestBody)
	s, fault := m.tools.enter(ctx, "InitiateFileTransferToGuest", req.Vm, req.Auth)
	if fault == nil && !req.Overwrite {
		if _, missing := fileAt(s.System, req.GuestFilePath); missing == nil {
			fault = &types.FileAlreadyExists{FileFault: types.FileFault{File: req.GuestFilePath}}
		}
	}
	if fault != nil {
		body.Fault_ = said(fault)
		return body
	}
	body.Res = &types.InitiateFileTransferToGuestResponse{
		Returnval: m.tools.open(&transfer{seat: s, path: req.GuestFilePath, up: true, size: req.FileSize, overwrite: req.Overwrite})}
	return body
}

// base is the last element of a path of either family.
func base(name string) string { return path.Base(strings.ReplaceAll(name, `\`, "/")) }
