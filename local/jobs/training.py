"""Runs SageMaker training jobs: channels in, the container's command as processes, model and checkpoints out."""

import json
import time
from typing import Any

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.layout import HostDirectory, resource_config
from local.jobs.log_stream import LogStream
from local.jobs.metrics import MetricReader
from local.jobs.platform import JobPlatform
from local.jobs.process import Command, Ended, Outcome
from local.jobs.sagemaker_job import (
    COMPLETED,
    FAILED,
    STOPPED,
    TRAINING,
    JobFailed,
    SageMakerJob,
    elapsed_seconds,
    failure_reason,
    require_entrypoint,
)
from local.jobs.transfer import (
    FolderMirror,
    S3Location,
    TransferFailed,
    download,
    files_below,
    find_inputs,
    pack,
    shard,
    upload,
)

DEFAULT_CHECKPOINTS = "/opt/ml/checkpoints"
MESSAGES = {
    "Starting": "Starting the training job",
    "Pending": "Waiting for a free job slot of the local platform",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Interrupted": "Training job interrupted: the spot instance was reclaimed",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job waited longer than MaxWaitTimeInSeconds provided",
}


def run_training_job(platform: JobPlatform, name: str, control: JobControl) -> None:
    """Take the job from `Starting` to its final status."""
    job = TrainingJob(platform, name, control)
    try:
        job.run()
    except (JobFailed, TransferFailed) as error:
        job.end(FAILED, "Failed", FailureReason=str(error))
    except Exception as error:
        job.end(FAILED, "Failed", FailureReason=f"InternalServerError: {type(error).__name__}: {error}")
        raise


class TrainingJob(SageMakerJob):
    """The steps of a training job. The job's instances are the directories below its own."""

    def __init__(self, platform: JobPlatform, name: str, control: JobControl) -> None:
        super().__init__(platform, TRAINING, name, control)
        self._out_of_time = "MaxRuntimeExceeded"

    def run(self) -> None:
        created = time.monotonic()
        wait = self.document["StoppingCondition"].get("MaxWaitTimeInSeconds")
        self.transition("Pending")
        if not self.platform.slots.take(self.control, wait):
            self._stop_before_start()
            return
        try:
            self._run_in_slot(created + wait if wait else None)
        finally:
            self.platform.slots.give_back()

    def transition(self, secondary: str, *, status_message: str = "") -> None:
        """Enter a secondary status: close the last one, open the next, and tell EventBridge."""
        now = time.time()
        transitions: list[Document] = self.document.get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        message = status_message or MESSAGES[secondary]
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message})
        self.update(SecondaryStatus=secondary, SecondaryStatusTransitions=transitions)
        self.publish()

    def end(self, status: str, secondary: str, **changes: Any) -> None:
        """Write the final document: times, bill and the last transition."""
        now = time.time()
        transitions: list[Document] = self.document.get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        transitions.append(
            {"Status": secondary, "StartTime": now, "EndTime": now, "StatusMessage": MESSAGES[secondary]}
        )
        seconds = elapsed_seconds({**self.document, "End": now}, "TrainingStartTime", "End")
        self.finish(
            status,
            SecondaryStatus=secondary,
            SecondaryStatusTransitions=transitions,
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            **changes,
        )

    @property
    def _instance_count(self) -> int:
        return int(self.document["ResourceConfig"].get("InstanceCount", 1))

    def _stop_before_start(self) -> None:
        if self.control.stop.is_set():
            self.end(STOPPED, "Stopped")
        else:
            self.end(STOPPED, "MaxWaitTimeExceeded")

    def _run_in_slot(self, wait_deadline: float | None) -> None:
        deadline = time.monotonic() + self.max_runtime_seconds
        if wait_deadline is not None and wait_deadline < deadline:
            deadline, self._out_of_time = wait_deadline, "MaxWaitTimeExceeded"
        metrics = MetricReader(self.document["AlgorithmSpecification"].get("MetricDefinitions", []))
        streams = self.log_streams(self._instance_count)
        self.started()
        while True:
            with self.platform.directory(self.kind.resource, self.name) as directory:
                hosts = self.hosts(directory, self._instance_count)
                outcome = self._run_once(hosts, streams, metrics, deadline)
                if outcome.ended is not Ended.INTERRUPTED:
                    self._conclude(hosts, outcome, metrics)
                    return
            self.transition("Interrupted")
            self.transition("Starting")

    def _run_once(
        self, hosts: dict[str, HostDirectory], streams: list[LogStream], metrics: MetricReader, deadline: float
    ) -> Outcome:
        self.transition("Downloading")
        self._write_configuration(hosts)
        self._download_channels(list(hosts.values()))
        checkpoints = self._checkpoint_mirrors(hosts)
        for mirror in checkpoints:
            mirror.restore()
        self.transition("Training")
        commands = [self._command(host, stream, metrics) for host, stream in zip(hosts.values(), streams, strict=True)]
        ticker = _Ticker(streams, checkpoints, self.platform.times.checkpoint_seconds)
        try:
            return self.run_commands(commands, deadline=deadline, on_tick=ticker.tick)
        finally:
            ticker.finish()

    def _command(self, host: HostDirectory, stream: LogStream, metrics: MetricReader) -> Command:
        algorithm = self.document["AlgorithmSpecification"]
        asked = {
            "TRAINING_JOB_NAME": self.name,
            "TRAINING_JOB_ARN": self.arn,
            **self.document.get("Environment", {}),
        }

        def on_line(line: str) -> None:
            stream.write(line)
            metrics.read(line)

        return Command(
            argv=host.argv(
                require_entrypoint(algorithm.get("ContainerEntrypoint")),
                algorithm.get("ContainerArguments", []),
                self.platform.context.python,
            ),
            environment=self.environment(host, asked, isolated=bool(self.document.get("EnableNetworkIsolation"))),
            directory=host.root,
            on_line=on_line,
        )

    def _write_configuration(self, hosts: dict[str, HostDirectory]) -> None:
        mode = self.document["AlgorithmSpecification"]["TrainingInputMode"]
        channels = {
            channel["ChannelName"]: _channel_config(channel, mode)
            for channel in self.document.get("InputDataConfig", [])
        }
        instance_type = self.document["ResourceConfig"].get("InstanceType", "")
        for name, host in hosts.items():
            host.write_config("input/config/inputdataconfig.json", channels)
            (host.base / "input/config/hyperparameters.json").write_text(
                json.dumps(self.document.get("HyperParameters", {})), encoding="utf-8"
            )
            host.write_config("input/config/resourceconfig.json", resource_config(name, list(hosts), instance_type))
            if checkpoint := self.document.get("CheckpointConfig"):
                with_path = {"LocalPath": DEFAULT_CHECKPOINTS, **checkpoint}
                host.write_config("input/config/checkpointconfig.json", with_path)

    def _download_channels(self, hosts: list[HostDirectory]) -> None:
        for channel in self.document.get("InputDataConfig", []):
            source = channel["DataSource"]["S3DataSource"]
            files = find_inputs(self.role.s3, source["S3Uri"], self.document["RoleArn"])
            sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
            for index, host in enumerate(hosts):
                part = shard(files, index, len(hosts)) if sharded else files
                download(self.role.s3, part, host.base / "input/data" / channel["ChannelName"])

    def _checkpoint_mirrors(self, hosts: dict[str, HostDirectory]) -> list[FolderMirror]:
        config = self.document.get("CheckpointConfig")
        if not config:
            return []
        mirrors = []
        for host in hosts.values():
            folder = host.path(config.get("LocalPath", DEFAULT_CHECKPOINTS))
            folder.mkdir(parents=True, exist_ok=True)
            mirrors.append(FolderMirror(self.role.s3, folder, S3Location.parse(config["S3Uri"])))
        return mirrors

    def _conclude(self, hosts: dict[str, HostDirectory], outcome: Outcome, metrics: MetricReader) -> None:
        """Keep what the scripts produced, and say how it ended."""
        final_metrics = metrics.final()
        if outcome.exit_code:
            message = next((text for host in hosts.values() if (text := host.read_message("output/failure"))), "")
            reason = failure_reason(message, outcome.exit_code)
            self.end(FAILED, "Failed", FailureReason=reason, FinalMetricDataList=final_metrics)
            return
        self.transition("Stopping" if outcome.ended is Ended.STOPPED else "Uploading")
        artifacts = self._upload_results(list(hosts.values()))
        status, secondary = {
            Ended.EXITED: (COMPLETED, "Completed"),
            Ended.STOPPED: (STOPPED, "Stopped"),
            Ended.OUT_OF_TIME: (STOPPED, self._out_of_time),
        }[outcome.ended]
        self.end(
            status, secondary, ModelArtifacts={"S3ModelArtifacts": artifacts.uri}, FinalMetricDataList=final_metrics
        )

    def _upload_results(self, hosts: list[HostDirectory]) -> S3Location:
        """model.tar.gz always, output.tar.gz when the scripts wrote any; returns where the model is."""
        destination = S3Location.parse(self.document["OutputDataConfig"]["S3OutputPath"]).child(f"{self.name}/output")
        scratch = hosts[0].root / "upload"
        model = destination.child("model.tar.gz")
        pack([host.base / "model" for host in hosts], scratch / "model.tar.gz")
        upload(self.role.s3, scratch / "model.tar.gz", model)
        outputs = [host.base / "output/data" for host in hosts]
        if any(files_below(directory) for directory in outputs):
            pack(outputs, scratch / "output.tar.gz")
            upload(self.role.s3, scratch / "output.tar.gz", destination.child("output.tar.gz"))
        return model


def _channel_config(channel: Document, mode: str) -> Document:
    """A channel's entry in inputdataconfig.json."""
    source = channel["DataSource"]["S3DataSource"]
    config = {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return {**config, "ContentType": channel["ContentType"]} if "ContentType" in channel else config


class _Ticker:
    """What happens while the processes run: logs go out, checkpoints go up."""

    def __init__(self, streams: list[LogStream], mirrors: list[FolderMirror], every_seconds: float) -> None:
        self._streams = streams
        self._mirrors = mirrors
        self._every_seconds = every_seconds
        self._pushed_at = time.monotonic()

    def tick(self) -> None:
        for stream in self._streams:
            stream.tick()
        if time.monotonic() - self._pushed_at >= self._every_seconds:
            self._push()

    def finish(self) -> None:
        """The processes are gone: send what is left, whatever the outcome."""
        for stream in self._streams:
            stream.flush()
        self._push()

    def _push(self) -> None:
        for mirror in self._mirrors:
            mirror.push()
        self._pushed_at = time.monotonic()
