host "" {}                             # ERROR: The name of a host is not empty
host " a" {}                           # ERROR: has no space around it
host "localhost" {}                    # ERROR: localhost is built in
group "my group" {}                    # ERROR: because expressions name it as group.NAME
