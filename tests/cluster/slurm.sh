#!/usr/bin/env bash
# A toy but real SLURM on this one machine, as root: no systemd, no cgroups, no database.
#   slurm.sh up     installs it where it is not, and starts it afresh; exits with 77 where it cannot be had
#   slurm.sh down   cancels all jobs, stops it and forgets it
# Partitions: cpu (the default; nodes c1, c2) and gpu (node g1, two pretend GPUs, which SLURM really hands out).
set -euo pipefail
conf=/etc/slurm # a job's own srun looks nowhere else
var=/var/tmp/slurm-toy
nodes=(c1 c2 g1)

cannot() {
  echo "slurm.sh: $1" >&2
  exit 77
}

install() {
  type slurmctld slurmd munged squeue rsync >/dev/null 2>&1 && return
  type apt-get >/dev/null 2>&1 || cannot "no SLURM here, and no apt-get to install it by"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    slurmctld slurmd munge slurm-client rsync; } >/dev/null || cannot "SLURM could not be installed"
}

configure() {
  local host
  host=$(hostname -s)
  mkdir -p $var $conf
  cat >$conf/slurm.conf <<CONF
ClusterName=toy
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
StateSaveLocation=$var/state
SlurmctldPidFile=$var/slurmctld.pid
SlurmctldLogFile=$var/slurmctld.log
SlurmdSpoolDir=$var/%n
SlurmdPidFile=$var/%n.pid
SlurmdLogFile=$var/%n.log
# Nodes may claim more than the machine has, and the kernel enforces nothing.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
GresTypes=gpu
# squeue lists ended jobs for an hour.
MinJobAge=3600
MailProg=/bin/true
KillWait=5
ReturnToService=2
NodeName=c1 Port=17001 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000
NodeName=c2 Port=17002 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000
NodeName=g1 Port=17003 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:2
PartitionName=cpu Nodes=c[1-2] Default=YES MaxTime=1440
PartitionName=gpu Nodes=g1 MaxTime=1440
CONF
  # A character device for each pretend GPU.
  echo 'NodeName=g1 Name=gpu File=/dev/null,/dev/zero' >$conf/gres.conf
}

ours() { grep -q '^ClusterName=toy$' $conf/slurm.conf 2>/dev/null; }

up() {
  [ "$(id -u)" = 0 ] || cannot "only root can start one"
  [ ! -e $conf/slurm.conf ] || ours || cannot "this machine belongs to a cluster: $conf/slurm.conf"
  install
  configure
  service munge start >/dev/null
  slurmctld -c # like slurmd, ends an older one of its own first
  for node in "${nodes[@]}"; do slurmd -N "$node"; done
  for _ in {1..60}; do
    if [ "$(sinfo -hN -o %T 2>/dev/null | grep -cE '^(idle|mixed|allocated)$')" = ${#nodes[@]} ]; then
      exec sinfo -N -o '%N %P %T %G'
    fi
    sleep 0.5
  done
  echo "slurm.sh: the nodes did not become idle: see $var/*.log" >&2
  exit 1
}

down() {
  ours || exit 0
  squeue -h -o %A 2>/dev/null | xargs -r scancel
  for _ in {1..150}; do [ -n "$(squeue -h 2>/dev/null)" ] || break; sleep 0.1; done
  for pidfile in $var/*.pid; do
    [ -e "$pidfile" ] || continue
    kill "$(cat "$pidfile")" 2>/dev/null || true
    for _ in {1..300}; do [ -e "$pidfile" ] || break; sleep 0.1; done # a daemon removes its own
  done
  service munge stop >/dev/null
  rm -rf $var $conf/slurm.conf $conf/gres.conf
}

"$@"
