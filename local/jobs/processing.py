"""Runs SageMaker processing jobs: inputs to their paths, the container's command as processes, outputs to S3."""

import time

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.layout import HostDirectory, resource_config
from local.jobs.log_stream import LogStream
from local.jobs.platform import JobPlatform
from local.jobs.process import Command, Ended, Outcome
from local.jobs.sagemaker_job import (
    COMPLETED,
    FAILED,
    PROCESSING,
    STOPPED,
    JobFailed,
    SageMakerJob,
    failure_reason,
    require_entrypoint,
)
from local.jobs.transfer import S3Location, TransferFailed, download, find_inputs, shard, upload_directory

CONFIG_FIELDS = (
    "ProcessingJobArn",
    "ProcessingJobName",
    "AppSpecification",
    "Environment",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)


def run_processing_job(platform: JobPlatform, name: str, control: JobControl) -> None:
    """Take the job from `InProgress` to its final status."""
    job = ProcessingJob(platform, PROCESSING, name, control)
    try:
        job.run()
    except (JobFailed, TransferFailed) as error:
        job.finish(FAILED, FailureReason=str(error))
    except Exception as error:
        job.finish(FAILED, FailureReason=f"InternalServerError: {type(error).__name__}: {error}")
        raise


class ProcessingJob(SageMakerJob):
    """The steps of a processing job."""

    def run(self) -> None:
        if not self.platform.slots.take(self.control):
            self.finish(STOPPED)
            return
        try:
            with self.platform.directory(self.kind.resource, self.name) as directory:
                self._run_on(self.hosts(directory, self._cluster.get("InstanceCount", 1)))
        finally:
            self.platform.slots.give_back()

    @property
    def _cluster(self) -> Document:
        cluster: Document = self.document["ProcessingResources"]["ClusterConfig"]
        return cluster

    @property
    def _outputs(self) -> list[Document]:
        """The S3Output of each output: {S3Uri, LocalPath, S3UploadMode}."""
        return [output["S3Output"] for output in self.document.get("ProcessingOutputConfig", {}).get("Outputs", [])]

    def _run_on(self, hosts: dict[str, HostDirectory]) -> None:
        self.started()
        self.publish()
        deadline = time.monotonic() + self.max_runtime_seconds
        self._write_configuration(hosts)
        self._download_inputs(list(hosts.values()))
        for host in hosts.values():
            for output in self._outputs:
                host.path(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        streams = self.log_streams(len(hosts))
        commands = [self._command(host, stream) for host, stream in zip(hosts.values(), streams, strict=True)]

        def tick() -> None:
            for stream in streams:
                stream.tick()

        try:
            outcome = self.run_commands(commands, deadline=deadline, on_tick=tick)
        finally:
            for stream in streams:
                stream.flush()
        self._conclude(list(hosts.values()), outcome)

    def _command(self, host: HostDirectory, stream: LogStream) -> Command:
        application = self.document["AppSpecification"]
        isolated = bool(self.document.get("NetworkConfig", {}).get("EnableNetworkIsolation"))
        asked = {
            "PROCESSING_JOB_NAME": self.name,
            "PROCESSING_JOB_ARN": self.arn,
            **self.document.get("Environment", {}),
        }
        return Command(
            argv=host.argv(
                require_entrypoint(application.get("ContainerEntrypoint")),
                application.get("ContainerArguments", []),
                self.platform.context.python,
            ),
            environment=self.environment(host, asked, isolated=isolated),
            directory=host.root,
            on_line=stream.write,
        )

    def _write_configuration(self, hosts: dict[str, HostDirectory]) -> None:
        request = {field: self.document[field] for field in CONFIG_FIELDS if field in self.document}
        for name, host in hosts.items():
            host.write_config("config/processingjobconfig.json", request)
            host.write_config(
                "config/resourceconfig.json", resource_config(name, list(hosts), self._cluster["InstanceType"])
            )

    def _download_inputs(self, hosts: list[HostDirectory]) -> None:
        for item in self.document.get("ProcessingInputs", []):
            source = item["S3Input"]
            files = find_inputs(self.role.s3, source["S3Uri"], self.document["RoleArn"])
            sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
            for index, host in enumerate(hosts):
                part = shard(files, index, len(hosts)) if sharded else files
                download(self.role.s3, part, host.path(source["LocalPath"]))

    def _conclude(self, hosts: list[HostDirectory], outcome: Outcome) -> None:
        """Send the outputs of a job that came to its end, and say how it ended."""
        message = next((text for host in hosts if (text := host.read_message("output/message"))), "")
        exit_message = {"ExitMessage": message} if message else {}
        if outcome.exit_code:
            self.finish(FAILED, FailureReason=failure_reason(message, outcome.exit_code), **exit_message)
        elif outcome.ended is Ended.OUT_OF_TIME:
            reason = f"ClientError: the job ran longer than MaxRuntimeInSeconds ({int(self.max_runtime_seconds)})"
            self.finish(STOPPED, FailureReason=reason, **exit_message)
        elif outcome.ended is Ended.STOPPED:
            self.finish(STOPPED, **exit_message)
        else:
            for host in hosts:
                for output in self._outputs:
                    upload_directory(self.role.s3, host.path(output["LocalPath"]), S3Location.parse(output["S3Uri"]))
            self.finish(COMPLETED, **exit_message)
