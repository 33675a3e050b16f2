/* A kernel driver that does nothing but load and unload: to the service control manager it is what the introspection
   driver of VMware Tools is. */
#include <ddk/wdm.h>

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	driver->DriverUnload = unload;
	return STATUS_SUCCESS;
}
