"""What a health check's test needs of its image."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, NotChecked, Severity
from devenv.checks.places import place_of
from devenv.checks.probe_programs import SHELL, find_probe_programs, image_of
from devenv.checks.registry import check


@check(
    "healthcheck-command-missing",
    Severity.WARNING,
    "compose-spec 05-services.md#healthcheck; measured: config does not look into images",
)
def healthcheck_command_missing(
    profile: CheckedProfile, facts: Facts
) -> Iterator[Fault | NotChecked]:
    """The program of a health check's test is not in the image.

    The probe then fails each time, the container becomes unhealthy, and what waits for it never
    starts. Looked at with `devenv check --deep` alone, which creates a container from each local
    image without starting it; an image that is not on this machine is not checked. Of the shell
    form the first word counts, where it is a program.

    Wrong:

        services:
          web:
            image: nginx:1.27-alpine-slim
            healthcheck:
              test: [CMD, curl, -f, "http://localhost/"]     # the image has no curl

    Right:

        services:
          web:
            image: nginx:1.27-alpine-slim
            healthcheck:
              test: [CMD, wget, -q, --spider, "http://localhost/"]

    Measured: With Engine 20.10.24 the probe ends with "executable file not found in $PATH"; a
    test on the engine has an image with and one without the program.
    """
    programs = facts.programs
    if programs is None or profile.model is None:
        return
    for name, service in selected_services(profile).items():
        if service.healthcheck is None:
            continue
        image = image_of(profile.model, service)
        for program in find_probe_programs(service.healthcheck):
            there = programs.get((image, program))
            if there is None:
                yield NotChecked(
                    f"the program of the health check of {name}",
                    f"the image {image} is not on this machine, or the engine did not answer",
                )
                break
            if there:
                continue
            what = "a shell, which the text of its test needs" if program == SHELL else program
            fix = "test: [CMD, …] with a program that the image has"
            yield Fault(
                f"The health check of {name} runs {what}: the image {image} does not have it.",
                place_of(profile, "services", name, "healthcheck", "test"),
                service=name,
                fix=fix if program == SHELL else f"{fix}, or install {program} in the image",
            )
            break
