/** Where the lab's two clouds live and how they are reached; nothing here touches the machine. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** `real`: QEMU guests through libvirt; `fake`: the same control plane over Nova's fake driver. */
export type LabKind = "real" | "fake";

/** The lab's projects; each has a user of the same name. */
export const PROJECTS = ["builder", "runner-a", "runner-b"] as const;
/** One of {@link PROJECTS}. */
export type LabProject = (typeof PROJECTS)[number];

/** What a Keystone v3 password sign-in needs. */
export interface LabCredentials {
  readonly authUrl: string;
  readonly projectName: string;
  readonly projectDomainName: string;
  readonly username: string;
  readonly userDomainName: string;
  readonly password: string;
  readonly region: string;
}

/** A cloud of the lab, as a client sees it. */
export interface LabCloud {
  readonly kind: LabKind;
  /** Everything of this cloud (configuration, state, logs, pid files) is below it. */
  readonly directory: string;
  readonly authUrl: string;
  readonly region: string;
  /** Name of the network that servers go to. */
  readonly network: string;
  /** Flavor names: tiny 1 vCPU/256 MB/1 GB, small 1/1024/8, medium 2/2048/10. */
  readonly flavor: { readonly tiny: string; readonly small: string; readonly medium: string };
  credentials(project: LabProject): LabCredentials;
  /** Of the cloud's administrator, whose project is `admin`. */
  readonly administrator: LabCredentials;
  /** Base-image mirror laid out as cloud-images.ubuntu.com. */
  readonly mirrorUrl: string;
  /** Stand-in of the runner's release pages: `/releases/latest`, `/releases/download/...`. */
  readonly runnerMirrorUrl: string;
  /** HTTP proxy with its credentials, for the real cloud; lets guests and the unit reach everything, Debian's archive too. */
  readonly proxyUrl: string;
  /** Debian mirror for the guests' sources.list; the fake cloud has no guests and serves nothing there. */
  readonly aptMirrorUrl: string;
}

/** Folder of both clouds and of the caches. */
export const LAB_ROOT = "/var/lib/github-runner-lab";
/** Cache and mirror tree of the guest image, shared by both clouds. */
export const IMAGES = join(LAB_ROOT, "images");
/** Debian packages that guests fetched through the apt cache. */
export const APT_CACHE = join(LAB_ROOT, "apt-cache");
/** Port of the static HTTP server beside each cloud. */
export const GATEWAY_PORT = 8080;
/** Port of apt-cacher-ng beside the real cloud. */
export const APT_PORT = 3142;
/** Port of the HTTP proxy beside the real cloud. */
export const PROXY_PORT = 3128;
/** Who may use the proxy; the password has what an address must not hold as it is. */
export const PROXY_ACCOUNT = { username: "lab", password: "proxy p@ss/word" } as const;
/** Folder of this file. */
export const LAB_SOURCE = dirname(fileURLToPath(import.meta.url));

/** Address that a cloud's control plane is bound to. */
export function hostOf(kind: LabKind): string {
  return kind === "real" ? "127.0.0.1" : "127.0.0.2";
}

/** Address of the gateway: the guests' side of the machine where there are guests. */
export function gatewayOf(kind: LabKind): string {
  return kind === "real" ? "10.77.0.1" : hostOf(kind);
}

/** The description of the cloud `kind`, up or not. */
export function labCloud(kind: LabKind): LabCloud {
  const authUrl = `http://${hostOf(kind)}:5000/v3`;
  const region = "RegionOne";
  const gateway = `http://${gatewayOf(kind)}`;
  const account = (name: string, password: string): LabCredentials => ({
    authUrl,
    projectName: name,
    projectDomainName: "Default",
    username: name,
    userDomainName: "Default",
    password,
    region,
  });
  return {
    kind,
    directory: join(LAB_ROOT, kind),
    authUrl,
    region,
    network: "lab-net",
    flavor: { tiny: "lab.tiny", small: "lab.small", medium: "lab.medium" },
    credentials: (project) => account(project, `${project}-pass`),
    administrator: account("admin", "adminpass"),
    mirrorUrl: `${gateway}:${GATEWAY_PORT}/cloud-images`,
    runnerMirrorUrl: `${gateway}:${GATEWAY_PORT}/runner`,
    proxyUrl: `http://${PROXY_ACCOUNT.username}:${encodeURIComponent(PROXY_ACCOUNT.password)}@${gatewayOf(kind)}:${PROXY_PORT}`,
    aptMirrorUrl: `${gateway}:${APT_PORT}/deb.debian.org/debian`,
  };
}

/** Environment of the lab's shell scripts for the cloud `kind` (see `openstack/lib.sh`). */
export function scriptEnvironment(kind: LabKind): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LAB_HOST: hostOf(kind),
    LAB_VIRT: kind === "real" ? "libvirt" : "fake",
    LAB_DIR: join(LAB_ROOT, kind),
  };
}
