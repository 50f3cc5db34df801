import { isInHome } from "./home-folders.ts";
import type { Service } from "./service.ts";

/** Rules that the kernel enforces by filters of system calls, which need no privileges. */
const FILTERS = [
  "NoNewPrivileges=yes",
  // AF_NETLINK is needed for the list of addresses in the server's banner.
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged",
  "SystemCallErrorNumber=EPERM",
];

/** Rules that only the system's manager can enforce. `MemoryDenyWriteExecute` would end just-in-time compiling. */
const ISOLATION = [
  "ProtectSystem=strict",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectControlGroups=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RemoveIPC=yes",
];

/** Returns the lines of a unit that limit what its process may do. */
export function hardening({ isSystem, kind, data, hasLowPort }: Service & { isSystem: boolean }): string[] {
  return [
    // A core dump would contain the keys.
    "LimitCORE=0",
    ...(kind === "serve" ? ["LimitNOFILE=65536"] : []),
    "UMask=0077",
    "",
    ...FILTERS,
    ...(isSystem ? [...capabilities(kind === "serve" && hasLowPort), ...ISOLATION] : []),
    ...(isSystem ? [`ProtectHome=${isInHome(data?.path ?? "") ? "tmpfs" : "yes"}`] : []),
    ...(isSystem && kind === "agent" ? ["PrivateUsers=yes"] : []),
  ];
}

function capabilities(hasLowPort: boolean): string[] {
  const capability = hasLowPort ? "CAP_NET_BIND_SERVICE" : "";
  return [
    `CapabilityBoundingSet=${capability}`,
    ...(hasLowPort ? [`AmbientCapabilities=${capability}`] : []),
  ];
}
